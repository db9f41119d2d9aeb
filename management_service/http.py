"""Mounts the modules' routes: authenticates, checks the scope, parses, opens the work, commits, renders, records."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from management_service.audit import Asked
from management_service.auth import Authenticator
from management_service.entrance import source_of
from management_service.failures import is_data, is_infrastructure
from management_service.hosted import Hosted
from management_service.idempotency import Idempotency
from management_service.limits import RateLimits
from management_service.metrics import REQUESTS
from management_service.parsing import json_of, list_fields, query_of, read_body, revision_of, trace_of
from management_service.quarantine import routes as quarantine
from management_service.render import (
    API,
    InternalError,
    end_streams_on_shutdown,
    is_gone,
    problem_of,
    problem_of_refusal,
    problem_of_validation,
    render,
    render_problem,
    send_download,
    send_events,
)
from modules.kernel.errors import Forbidden, InvalidRequest, Problem, Unauthenticated, Unavailable
from modules.kernel.http import Call, Download, EventStream, Route, Signature
from modules.kernel.scopes import Principal
from modules.kernel.work import AfterCommit, Work
from shared_contracts.bus import BusError
from shared_contracts.logs import traced

log = structlog.get_logger()


def mount(
    application: web.Application, hosted: Sequence[Hosted], authenticator: Authenticator, limits: RateLimits
) -> None:
    """Add every route of every hosted module to the application, below /api/v1."""
    for context in hosted:
        for route in (*context.module.routes, *quarantine.of_module(context.module.name)):
            operation = _Operation(context, route, authenticator, limits)
            application.router.add_route(route.method, API + route.path, operation.serve)
    end_streams_on_shutdown(application)


class _Operation:
    def __init__(self, hosted: Hosted, route: Route, authenticator: Authenticator, limits: RateLimits) -> None:
        self._hosted = hosted
        self._route = route
        self._authenticator = authenticator
        self._limits = limits
        self._signature: Signature = route.signature()
        self._body = None if self._signature.body is None else TypeAdapter(self._signature.body)
        self._lists = list_fields(self._signature.query)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request; whatever happens is a response or a problem, and what would change something a record."""
        asked = Asked(self._route, source_of(request), request.match_info, trace_of(request))
        begun = time.perf_counter()
        with traced(asked.trace):
            response = await self._guarded(request, asked)
        if not response.prepared:
            response.headers["X-Trace-Id"] = asked.trace
            response.headers["Cache-Control"] = "no-store"
        self._hosted.audit.tell_later(asked, response.status)
        REQUESTS.labels(self._route.method, self._route.path, response.status).observe(time.perf_counter() - begun)
        return response

    async def _guarded(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        try:
            return await self._answer(request, asked)
        except Exception as error:
            if isinstance(error, ConnectionError) and is_gone(request):  # else it is another connection that was lost
                raise
            problem = self._problem_of(error)
            asked.code = problem.code
            return render_problem(problem, trace=asked.trace)

    def _problem_of(self, error: Exception) -> Problem:
        match error:
            case Problem():
                return error
            case BusError():
                return problem_of(error)
            case web.HTTPException():
                return problem_of_refusal(error)
        if is_infrastructure(error):
            log.warning("api_unavailable", path=self._route.path, error=repr(error))
            return Unavailable()
        if is_data(error):
            log.warning("api_value_does_not_fit", path=self._route.path, error=repr(error))
            return InvalidRequest("A value is beyond what can be stored.")
        log.error("api_failed", path=self._route.path, exc_info=error)
        return InternalError()

    async def _answer(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        if not self._hosted.is_open:
            raise Unavailable("Starting.")
        principal = await self._allowed(request, asked)
        raw = b"" if self._body is None else await read_body(request)
        call = self._call(request, raw, principal)
        once = self._idempotency(request, raw, principal)
        response: web.StreamResponse | None = None
        async with self._hosted.serve(trace=asked.trace) as asked.work:
            if once is not None and (earlier := await once.earlier_answer(asked.work)) is not None:
                return earlier
            result = await self._route.handler(call, asked.work)
            if isinstance(result, Download | EventStream):
                with self._limits.streaming(principal):
                    return await self._stream(request, result, asked.work)
            if not isinstance(result, AfterCommit):
                response = await self._render(result, once, asked.work)
            self._hosted.audit.tell(asked.work, asked, None if response is None else response.status)
        if isinstance(result, AfterCommit):
            asked.is_begun = True
            return await self._answer_later(result, once, asked)
        assert response is not None
        asked.is_told = True
        return response

    async def _answer_later(self, result: AfterCommit[Any], once: Idempotency | None, asked: Asked) -> web.Response:
        """The effects are committed, so that a refusal is remembered as well: a repeat must not act again.

        Where it is trouble of ours that there is no answer, the key is given back.
        """
        try:
            response = render(self._route, await result.answer())
        except Exception as error:
            if isinstance(error, BusError) or is_infrastructure(error):
                if once is not None:
                    async with self._hosted.serve(trace=asked.trace) as work:
                        await once.release(work)
                raise
            if not isinstance(error, Problem):
                raise
            asked.code = error.code
            response = render_problem(error, trace=asked.trace)
        if once is not None:
            async with self._hosted.serve(trace=asked.trace) as work:
                await once.remember(work, response)
        return response

    async def _render(self, result: Any, once: Idempotency | None, work: Work) -> web.Response:
        response = render(self._route, result)
        if once is not None:
            await once.remember(work, response)
        return response

    async def _stream(self, request: web.Request, result: Download | EventStream, work: Work) -> web.StreamResponse:
        await work.commit()
        await work.close()  # a stream lasts for hours, a file as long as its reader likes: they hold no connection
        if isinstance(result, Download):
            return await send_download(request, result)
        return await send_events(request, result)

    async def _allowed(self, request: web.Request, asked: Asked) -> Principal | None:
        self._limits.admit_source(asked.source)
        if self._route.scope is None:
            return None  # open to all: whoever signs in anew may still send a token that is over
        header = request.headers.get("Authorization")
        if not self._authenticator.remembers(header):
            self._limits.admit_stranger(asked.source)
        try:
            principal = await self._authenticator.principal(header)
        except Unauthenticated:
            self._limits.blame(asked.source)
            raise
        asked.principal = principal
        if principal is None:
            raise Unauthenticated
        self._limits.admit_caller(principal)
        if not principal.may(self._route.scope):
            raise Forbidden(f"This takes the scope {self._route.scope}.", scope=self._route.scope)
        return principal

    def _call(self, request: web.Request, raw: bytes, principal: Principal | None) -> Call[Any, Any]:
        try:
            query = self._signature.query.model_validate(query_of(request, self._lists))
            body = None if self._body is None else self._body.validate_python(json_of(request, raw))
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
            if_match=revision_of(request.headers.get("If-Match")),
            last_event_id=request.headers.get("Last-Event-ID"),
            source=source_of(request),
            idempotency_key=request.headers.get("Idempotency-Key"),
        )

    def _idempotency(self, request: web.Request, raw: bytes, principal: Principal | None) -> Idempotency | None:
        key = request.headers.get("Idempotency-Key")
        if key is None or not self._route.acts:
            return None
        return Idempotency(self._hosted.module.schema, principal, f"{request.method} {request.path}", key, raw)


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What aiohttp itself refuses (no such route, wrong method, too large) is a problem document too."""
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        if refusal.status < 400:
            raise
        response = render_problem(problem_of_refusal(refusal), trace=trace_of(request))
        if "Allow" in refusal.headers:
            response.headers["Allow"] = refusal.headers["Allow"]
        return response
