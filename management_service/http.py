"""Mounts the modules' routes: authenticates, checks the scope, parses, opens the work, commits, renders."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import orjson
import structlog
from aiohttp import web
from pydantic import BaseModel, TypeAdapter, ValidationError

from management_service.auth import Authenticator
from management_service.failures import is_data, is_infrastructure
from management_service.hosted import Hosted
from management_service.idempotency import Idempotency
from management_service.metrics import REQUESTS
from management_service.render import (
    API,
    InternalError,
    end_streams_on_shutdown,
    problem_of,
    problem_of_validation,
    render,
    render_problem,
    send_download,
    send_events,
)
from modules.kernel.errors import (
    Forbidden,
    InvalidRequest,
    MalformedRequest,
    Problem,
    Unauthenticated,
    Unavailable,
)
from modules.kernel.http import Call, Download, EventStream, Route, Signature
from modules.kernel.scopes import Principal
from modules.kernel.work import AfterCommit, Work
from shared_contracts.bus import BusError
from shared_contracts.logs import traced
from shared_contracts.message import new_id

log = structlog.get_logger()


def mount(application: web.Application, hosted: Sequence[Hosted], authenticator: Authenticator) -> None:
    """Add every route of every hosted module to the application, below /api/v1."""
    for context in hosted:
        for route in context.module.routes:
            operation = _Operation(context, route, authenticator)
            application.router.add_route(route.method, API + route.path, operation.serve)
    end_streams_on_shutdown(application)


class _Operation:
    def __init__(self, hosted: Hosted, route: Route, authenticator: Authenticator) -> None:
        self._hosted = hosted
        self._route = route
        self._authenticator = authenticator
        self._signature: Signature = route.signature()
        self._body = None if self._signature.body is None else TypeAdapter(self._signature.body)
        self._lists = _list_fields(self._signature.query)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request; whatever happens is a response or a problem."""
        trace = _trace_of(request)
        begun = time.perf_counter()
        with traced(trace):
            response = await self._guarded(request, trace)
        if not response.prepared:
            response.headers["X-Trace-Id"] = trace
            response.headers["Cache-Control"] = "no-store"
        REQUESTS.labels(self._route.method, self._route.path, response.status).observe(time.perf_counter() - begun)
        return response

    async def _guarded(self, request: web.Request, trace: str) -> web.StreamResponse:
        try:
            return await self._answer(request, trace)
        except Problem as problem:
            return render_problem(problem, trace=trace)
        except BusError as error:
            return render_problem(problem_of(error), trace=trace)
        except (web.HTTPException, ConnectionError):
            raise
        except Exception as error:
            if is_infrastructure(error):
                log.warning("api_unavailable", path=self._route.path, error=repr(error))
                return render_problem(Unavailable(), trace=trace)
            if is_data(error):
                log.warning("api_value_does_not_fit", path=self._route.path, error=repr(error))
                return render_problem(InvalidRequest("A value is beyond what can be stored."), trace=trace)
            log.exception("api_failed", path=self._route.path)
            return render_problem(InternalError(), trace=trace)

    async def _answer(self, request: web.Request, trace: str) -> web.StreamResponse:
        if not self._hosted.is_open:
            raise Unavailable("Starting.")
        principal = await self._allowed(request)
        raw = await _read(request)
        call = self._call(request, raw, principal)
        once = self._idempotency(request, raw, principal)
        async with self._hosted.work(trace=trace) as work:
            if once is not None and (earlier := await once.earlier_answer(work)) is not None:
                return earlier
            result = await self._route.handler(call, work)
            if isinstance(result, Download | EventStream):
                return await self._stream(request, result, work)
            if not isinstance(result, AfterCommit):
                return await self._render(result, once, work)
        return await self._answer_later(result, once, trace)

    async def _answer_later(self, result: AfterCommit[Any], once: Idempotency | None, trace: str) -> web.Response:
        """The effects are committed, so that a refusal is remembered as well: a repeat must not act again."""
        try:
            response = render(self._route, await result.answer())
        except Problem as problem:
            response = render_problem(problem, trace=trace)
        except BusError:
            if once is not None:
                async with self._hosted.work(trace=trace) as work:
                    await once.release(work)
            raise
        if once is not None:
            async with self._hosted.work(trace=trace) as work:
                await once.remember(work, response)
        return response

    async def _render(self, result: Any, once: Idempotency | None, work: Work) -> web.Response:
        response = render(self._route, result)
        if once is not None:
            await once.remember(work, response)
        return response

    async def _stream(self, request: web.Request, result: Download | EventStream, work: Work) -> web.StreamResponse:
        if isinstance(result, Download):
            return await send_download(request, result)
        await work.commit()
        await work.close()  # a stream lasts for hours and must not hold a connection
        return await send_events(request, result)

    async def _allowed(self, request: web.Request) -> Principal | None:
        principal = await self._authenticator.principal(request.headers.get("Authorization"))
        if self._route.scope is not None:
            if principal is None:
                raise Unauthenticated
            if not principal.may(self._route.scope):
                raise Forbidden(f"This takes the scope {self._route.scope}.", scope=self._route.scope)
        return principal

    def _call(self, request: web.Request, raw: bytes, principal: Principal | None) -> Call[Any, Any]:
        try:
            query = self._signature.query.model_validate(_query(request, self._lists))
            body = None if self._body is None else self._body.validate_python(_json(request, raw))
        except ValidationError as error:
            raise problem_of_validation(error) from error
        for name, value in request.match_info.items():
            if "\0" in value:
                raise InvalidRequest("NUL is not allowed.", errors=[{"field": name, "message": "has NUL"}])
        return Call(
            query=query,
            body=body,
            path=dict(request.match_info),
            caller=principal,
            if_match=_revision(request.headers.get("If-Match")),
            last_event_id=request.headers.get("Last-Event-ID"),
            source=request.remote or "",
            idempotency_key=request.headers.get("Idempotency-Key"),
        )

    def _idempotency(self, request: web.Request, raw: bytes, principal: Principal | None) -> Idempotency | None:
        key = request.headers.get("Idempotency-Key")
        if key is None or not self._route.acts:
            return None
        return Idempotency(self._hosted.module.schema, principal, f"{request.method} {request.path}", key, raw)


async def _read(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.RequestPayloadError as error:
        raise MalformedRequest("The body is not encoded as its headers say.") from error


def _json(request: web.Request, raw: bytes) -> Any:
    if request.content_type not in {"application/json", "application/octet-stream"}:
        raise MalformedRequest("Send application/json.")
    try:
        document = orjson.loads(raw or b"null")
    except orjson.JSONDecodeError as error:
        raise MalformedRequest(f"Not JSON: {error}") from error
    if b"\\u0000" in raw and _has_nul(document):
        raise InvalidRequest("NUL is not allowed in text.", errors=[{"field": "", "message": "has NUL"}])
    return document


def _has_nul(document: Any) -> bool:
    waiting = [document]  # not by recursion: the nesting is the caller's
    while waiting:
        match waiting.pop():
            case str() as text if "\0" in text:
                return True
            case list() as items:
                waiting.extend(items)
            case dict() as fields:
                waiting.extend(fields)
                waiting.extend(fields.values())
    return False


def _list_fields(query: type[BaseModel]) -> frozenset[str]:
    return frozenset(
        name
        for name, field in query.model_fields.items()
        if any(str(field.annotation).startswith(kind) for kind in ("list", "tuple", "frozenset"))
    )


def _query(request: web.Request, lists: frozenset[str]) -> dict[str, Any]:
    for name, value in request.query.items():
        if "\0" in value:
            raise InvalidRequest("NUL is not allowed.", errors=[{"field": name, "message": "has NUL"}])
    return {name: request.query.getall(name) if name in lists else value for name, value in request.query.items()}


def _revision(header: str | None) -> int | None:
    if header is None or header == "*":
        return None
    text = header.strip().removeprefix("W/").strip('"')
    if not text.isdecimal() or len(text) > 18:
        raise InvalidRequest("If-Match is not an ETag of ours.", errors=[{"field": "If-Match", "message": "unknown"}])
    return int(text)


def _trace_of(request: web.Request) -> str:
    """The trace id of W3C traceparent, or a new one."""
    parts = request.headers.get("traceparent", "").split("-")
    if len(parts) == 4 and len(parts[1]) == 32 and all(c in "0123456789abcdef" for c in parts[1]):
        return parts[1]
    return new_id()


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What aiohttp itself refuses (no such route, wrong method, too large) is a problem document too."""
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        if refusal.status < 400:
            raise
        kind = type(
            "Refused",
            (Problem,),
            {"status": refusal.status, "code": refusal.reason.lower().replace(" ", "_"), "title": refusal.reason},
        )
        response = render_problem(kind(), trace=_trace_of(request))
        if "Allow" in refusal.headers:
            response.headers["Allow"] = refusal.headers["Allow"]
        return response
