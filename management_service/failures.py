"""Whose fault a failure is: ours (wait and repeat) or the data's (set the message aside)."""

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from modules.kernel.errors import Unavailable
from shared_contracts.bus import BusUnavailable, NoHandler, RequestFailed, RequestTimedOut

# Classes and codes of SQLSTATE that say nothing about the data (PostgreSQL, appendix A).
_INFRASTRUCTURE = ("08", "53", "57", "58", "40", "25006", "55P03", "XX000")


def is_infrastructure(error: BaseException) -> bool:
    """Whether the same work may succeed later, unchanged."""
    match error:
        case DBAPIError(connection_invalidated=True):
            return True
        case DBAPIError():
            state = getattr(error.orig, "sqlstate", None)
            return state is None or state.startswith(_INFRASTRUCTURE)
        case PoolTimeoutError() | OSError() | TimeoutError():
            return True
        case BusUnavailable() | RequestTimedOut() | NoHandler() | Unavailable():
            return True
        case RequestFailed(code="unavailable"):
            return True
        case SQLAlchemyError() | _:
            state = getattr(error, "sqlstate", None)
            return state is not None and state.startswith(_INFRASTRUCTURE)
