"""Reads what came with a request: its body, query, revision and trace; whatever does not fit is a problem."""

from typing import Any

import orjson
from aiohttp import web
from pydantic import BaseModel

from modules.kernel.errors import InvalidRequest, MalformedRequest, UnsupportedMediaType
from shared_contracts.message import new_id

_DEEPEST = 32
_TYPES = frozenset({"application/json", "application/octet-stream"})  # the latter is how aiohttp calls none at all


async def read_body(request: web.Request) -> bytes:
    """The body as it was sent. One that is compressed is refused unread: a small one may inflate to gigabytes."""
    if request.headers.get("Content-Encoding", "identity").lower() not in {"", "identity"}:
        raise UnsupportedMediaType("Send the body without Content-Encoding.")
    try:
        return await request.read()
    except web.RequestPayloadError as error:
        raise MalformedRequest("The body is not encoded as its headers say.") from error


def json_of(request: web.Request, raw: bytes) -> Any:
    """The document in a body. NUL is refused because no column can hold it, depth because stacks are not endless."""
    if request.content_type not in _TYPES:
        raise UnsupportedMediaType("Send application/json.")
    try:
        document = orjson.loads(raw or b"null")
    except orjson.JSONDecodeError as error:
        raise MalformedRequest(f"Not JSON: {error}") from error
    if raw.count(b"[") + raw.count(b"{") > _DEEPEST and _is_deep(document):
        raise InvalidRequest("The body is nested too deep.", errors=[{"field": "", "message": "nested too deep"}])
    if b"\\u0000" in raw and _has_nul(document):
        raise InvalidRequest("NUL is not allowed in text.", errors=[{"field": "", "message": "has NUL"}])
    return document


def _is_deep(document: Any) -> bool:
    waiting = [(document, 1)]  # not by recursion: the nesting is the caller's
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, list | dict):
            if depth > _DEEPEST:
                return True
            waiting.extend((part, depth + 1) for part in (item if isinstance(item, list) else item.values()))
    return False


def _has_nul(document: Any) -> bool:
    waiting = [document]
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


def list_fields(query: type[BaseModel]) -> frozenset[str]:
    """The fields of a query that may be given several times."""
    return frozenset(
        name
        for name, field in query.model_fields.items()
        if any(str(field.annotation).startswith(kind) for kind in ("list", "tuple", "frozenset"))
    )


def query_of(request: web.Request, lists: frozenset[str]) -> dict[str, Any]:
    """The query parameters, those in `lists` with all their values."""
    for name, value in request.query.items():
        if "\0" in value:
            raise InvalidRequest("NUL is not allowed.", errors=[{"field": name, "message": "has NUL"}])
    return {name: request.query.getall(name) if name in lists else value for name, value in request.query.items()}


def revision_of(header: str | None) -> int | None:
    """The revision that If-Match names; None for any."""
    if header is None or header == "*":
        return None
    text = header.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        raise InvalidRequest("If-Match is not an ETag of ours.", errors=[{"field": "If-Match", "message": "unknown"}])
    return int(text)


def trace_of(request: web.Request) -> str:
    """The trace id of W3C traceparent, or a new one."""
    parts = request.headers.get("traceparent", "").split("-")
    if len(parts) == 4 and len(parts[1]) == 32 and all(c in "0123456789abcdef" for c in parts[1]):
        return parts[1]
    return new_id()
