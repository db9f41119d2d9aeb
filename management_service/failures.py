"""Whose fault a failure is: ours (wait and repeat) or the data's (set the message aside)."""

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from modules.kernel.errors import Unavailable
from shared_contracts.bus import BusUnavailable, NoHandler, RequestFailed, RequestTimedOut

# Classes and codes of SQLSTATE that say nothing about the data (PostgreSQL, appendix A): lost or refused connections,
# lack of resources, operators' interventions, deadlocks, the server's own defects; and schemas that have yet to be
# migrated, or just were: a prepared statement may then fail once with 0A000 or 26000.
_CLASSES = ("08", "28", "40", "53", "57", "58", "XX")
_CODES = ("0A000", "25006", "25P03", "26000", "3D000", "3F000", "42501", "42703", "42P01", "55000", "55006", "55P03")
_INFRASTRUCTURE = _CLASSES + _CODES


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
        case _:
            state = getattr(error, "sqlstate", None)
            return state is not None and state.startswith(_INFRASTRUCTURE)


def is_contention(error: BaseException) -> bool:
    """Whether two transactions stood in each other's way (40001, 40P01): tried again at once, it mostly succeeds."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in {"40001", "40P01"}


def is_data(error: BaseException) -> bool:
    """Whether a value was given that the database cannot hold (SQLSTATE class 22, data exception)."""
    return isinstance(error, DBAPIError) and str(getattr(error.orig, "sqlstate", None)).startswith("22")
