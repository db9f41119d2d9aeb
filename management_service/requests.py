"""Answers the requests that other modules and the edge send to a module."""

from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from management_service.failures import is_contention, is_infrastructure
from management_service.hosted import Hosted
from modules.kernel.errors import Problem
from modules.kernel.module import RequestHandler
from modules.kernel.work import AfterCommit
from shared_contracts.bus import OnRequest, RequestFailed
from shared_contracts.logs import traced
from shared_contracts.message import Envelope, Reply

log = structlog.get_logger()

_ATTEMPTS = 4


def responders(hosted: Hosted) -> Mapping[str, OnRequest]:
    """One responder per request key that the module answers."""
    handlers = [handler for handler in hosted.module.handlers if isinstance(handler, RequestHandler)]
    return {handler.request.key: _responder(hosted, handler) for handler in handlers}


def _responder(hosted: Hosted, handler: RequestHandler) -> OnRequest:
    async def respond(envelope: Envelope) -> bytes | Awaitable[bytes]:
        with _refusing(envelope):
            answer = await _answer(hosted, handler, envelope)
            return _later(answer, envelope) if isinstance(answer, AfterCommit) else _json(answer)

    return respond


async def _answer(hosted: Hosted, handler: RequestHandler, envelope: Envelope) -> Any:
    """The reply, or what it comes from once the effects are committed: they are."""
    request = envelope.read(handler.request)
    for attempts_left in reversed(range(_ATTEMPTS)):
        try:
            async with hosted.work(trace=envelope.trace, cause=envelope.id) as work:
                answer = await handler.answer(request, work)
            break
        except DBAPIError as error:
            if not (attempts_left and is_contention(error)):
                raise
    return answer


async def _later(answer: AfterCommit[Any], envelope: Envelope) -> bytes:
    with _refusing(envelope):
        return _json(await answer.answer())


def _json(reply: Any) -> bytes:
    assert isinstance(reply, Reply)
    return reply.model_dump_json(exclude_defaults=True).encode()


@contextmanager
def _refusing(envelope: Envelope) -> Iterator[None]:
    """Say in the bus's words what goes wrong."""
    with traced(envelope.trace, station=envelope.station_id):
        try:
            yield
        except RequestFailed:
            raise
        except Problem as problem:
            raise RequestFailed(problem.code, str(problem)) from problem
        except ValidationError as error:
            raise RequestFailed("invalid_message", str(error)) from error
        except Exception as error:
            if is_infrastructure(error):
                log.warning("request_unavailable", key=envelope.key, error=repr(error))
                raise RequestFailed("unavailable", type(error).__name__) from error
            log.exception("request_failed", key=envelope.key)
            raise RequestFailed("internal", type(error).__name__) from error
