"""Turns what a handler returned, or raised, into an HTTP response."""

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from aiohttp import web
from pydantic import BaseModel, TypeAdapter, ValidationError

from modules.kernel.errors import Conflict, Forbidden, InvalidRequest, NotFound, Problem, Unavailable
from modules.kernel.http import Created, Download, EventStream, Route
from shared_contracts.bus import BusError, RequestFailed

log = structlog.get_logger()

API = "/api/v1"
_KEEP_ALIVE_S = 14.0
_LOOK_S = 2.0
"""How often it is looked whether who reads a quiet stream is still there: what is written would show it."""

_STOPPING = web.AppKey("stopping", asyncio.Event)


def render(route: Route, result: Any) -> web.Response:
    """A response of JSON; `result` is a view, a list of views, Created, or None."""
    if result is None:
        return web.Response(status=204)
    status, headers, view = route.status, {}, result
    if isinstance(result, Created):
        status, view = 201, result.view
        headers["Location"] = API + result.location
    revision = getattr(view, "revision", None)
    if revision is not None:
        headers["ETag"] = f'"{revision}"'
    return web.Response(status=status, headers=headers, body=_json(view), content_type="application/json")


def _json(view: Any) -> bytes:
    if isinstance(view, BaseModel):
        return view.model_dump_json().encode()
    return TypeAdapter(type(view)).dump_json(view)


def render_problem(problem: Problem, *, trace: str) -> web.Response:
    """An RFC 9457 problem document. `type` is a stable URN of the code."""
    document: dict[str, Any] = {
        "type": f"urn:strum:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail or problem.title,
        "trace": trace,
        **problem.extra,
    }
    headers: dict[str, str] = {}
    if problem.status in {429, Unavailable.status}:
        headers["Retry-After"] = str(problem.extra.get("retry_after_s", 5))
    elif problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return web.Response(
        status=problem.status, headers=headers, body=orjson.dumps(document), content_type="application/problem+json"
    )


class InternalError(Problem):
    """A fault of ours; the log has it under the trace id."""

    status = 500
    code = "internal"
    title = "Something went wrong on our side"


_KINDS: Mapping[str, type[Problem]] = {kind.code: kind for kind in (NotFound, Forbidden, InvalidRequest, Conflict)}


def problem_of(error: BusError) -> Problem:
    """What a caller is told when another module refused, or could not be reached."""
    match error:
        case RequestFailed(code="internal"):
            return InternalError()
        case RequestFailed(code="unavailable"):
            return Unavailable()
        case RequestFailed(code=code, detail=detail):
            kind = _KINDS.get(code, Conflict)
            return type(kind.__name__, (kind,), {"code": code})(detail)  # type: ignore[no-any-return]  # a subclass of Problem
        case _:
            return Unavailable()


def problem_of_refusal(refusal: web.HTTPException) -> Problem:
    """What aiohttp itself refuses: no such route, another method, a body too large."""
    code = refusal.reason.lower().replace(" ", "_")
    return type("Refused", (Problem,), {"status": refusal.status, "code": code, "title": refusal.reason})()  # type: ignore[no-any-return]  # a subclass of Problem


def problem_of_validation(error: ValidationError) -> InvalidRequest:
    """Names each field that does not fit."""
    errors = [
        {"field": ".".join(map(str, item["loc"])), "message": item["msg"]}
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    return InvalidRequest(f"{errors[0]['field']}: {errors[0]['message']}", errors=errors)


async def send_download(request: web.Request, download: Download) -> web.StreamResponse:
    """Send a file as it is produced."""
    response = web.StreamResponse(
        headers={
            "Content-Type": download.content_type,
            "Content-Disposition": f'attachment; filename="{download.filename}"',
            "Cache-Control": "no-store",
        }
    )
    await response.prepare(request)
    try:
        async for chunk in download.chunks:
            await response.write(chunk)
        await response.write_eof()
    except Exception as error:  # the head is sent: a client can only be told by the connection's end
        if not isinstance(error, ConnectionError):
            log.exception("download_broken", file=download.filename)
        if request.transport is not None:
            request.transport.abort()
    return response


def end_streams_on_shutdown(application: web.Application) -> None:
    """Let streams end when the service stops: they would last for ever, and their clients resume elsewhere."""
    application[_STOPPING] = stopping = asyncio.Event()

    async def stop(_: web.Application) -> None:
        stopping.set()

    application.on_shutdown.append(stop)


def is_gone(request: web.Request) -> bool:
    """Whether the client is not there any more."""
    return request.transport is None or request.transport.is_closing()


async def send_events(request: web.Request, stream: EventStream) -> web.StreamResponse:
    """Send server-sent events until either side ends; a comment every 15 s keeps proxies from closing."""
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
    await response.prepare(request)
    await response.write(b"retry: 2000\n\n")
    events = aiter(stream.events)
    following: asyncio.Task[Any] = asyncio.ensure_future(anext(events))
    stopping = asyncio.ensure_future(request.app[_STOPPING].wait())
    clock = asyncio.get_running_loop().time
    written_at = clock()
    try:
        while not stopping.done() and not is_gone(request):
            done, _ = await asyncio.wait((following, stopping), timeout=_LOOK_S, return_when=asyncio.FIRST_COMPLETED)
            if stopping in done:
                break
            if not done:
                if clock() - written_at >= _KEEP_ALIVE_S:
                    await response.write(b": still here\n\n")
                    written_at = clock()
                continue
            try:
                event = following.result()
            except StopAsyncIteration:
                break
            lines = [f"id: {event.id}"] if event.id else []
            lines += [f"event: {event.event}"] if event.event else []
            await response.write("\n".join([*lines, f"data: {event.data}", "\n"]).encode())
            written_at = clock()
            following = asyncio.ensure_future(anext(events))
    except ConnectionError:
        pass  # the client left: it resumes by Last-Event-ID, or does not
    finally:
        stopping.cancel()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await stream.events.aclose()  # type: ignore[attr-defined]  # the iterators are async generators
    return response
