"""HTTP routes as values: a handler's annotations say what goes in and out, the host does the rest."""

import base64
import binascii
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from modules.kernel.errors import InvalidRequest, Unauthenticated
from modules.kernel.scopes import Principal, Scope
from modules.kernel.work import AfterCommit, Work


class Body(BaseModel):
    """A request body or query: unknown fields are refused, so that a typing error is not silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class View(BaseModel):
    """What a client sees. A view with a `revision` is served with an ETag."""

    model_config = ConfigDict(frozen=True)


class NoQuery(Body):
    """For a route without query parameters."""


Moment = Annotated[AwareDatetime, Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC))]
"""A time that a client gives: with its offset, and within what databases can hold in every zone."""

_moment: TypeAdapter[datetime] = TypeAdapter(Moment)

T = TypeVar("T")
Q = TypeVar("Q")
B = TypeVar("B")
ViewT = TypeVar("ViewT", bound=View)


@dataclass(frozen=True, slots=True)
class Call(Generic[Q, B]):
    """One request, parsed and allowed. `B` is None for a route without a body."""

    query: Q
    body: B
    path: Mapping[str, str]
    caller: Principal | None
    if_match: int | None = None
    last_event_id: str | None = None
    source: str = ""
    idempotency_key: str | None = None

    @property
    def principal(self) -> Principal:
        """Who calls; routes with a scope always have one."""
        if self.caller is None:
            raise Unauthenticated
        return self.caller


class Page(View, Generic[ViewT]):
    """A stretch of a list; `next_cursor` leads to the following one and is absent on the last."""

    items: list[ViewT]
    next_cursor: str | None = None


class Paging(Body):
    """Query parameters of every list."""

    limit: int = Field(default=50, ge=1, le=500, description="How many items at most.")
    cursor: str | None = Field(default=None, description="Where the previous page ended (opaque).")


@dataclass(frozen=True, slots=True)
class Created(Generic[ViewT]):
    """Answered with 201 and the place of what was made."""

    view: ViewT
    location: str


@dataclass(frozen=True, slots=True)
class Download:
    """A file, sent as it is produced."""

    chunks: AsyncIterator[bytes]
    content_type: str
    filename: str


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event of a stream. `data` is JSON text without newlines; an empty `id` keeps the last one."""

    data: str
    id: str = ""
    event: str = ""


@dataclass(frozen=True, slots=True)
class EventStream:
    """A server-sent event stream; it ends when the iterator does or the client leaves."""

    events: AsyncIterator[ServerEvent]


RouteHandler = Callable[[Any, Work], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of the API. `path` is below /api/v1, its variables in braces; `scope` None is open to all.

    `acts` marks a POST that honours Idempotency-Key. A summary and a description come from the handler's docstring.
    """

    method: str
    path: str
    handler: RouteHandler
    scope: Scope | None
    status: int = 200
    acts: bool = False
    problems: tuple[int, ...] = field(default=())

    @property
    def name(self) -> str:
        """The operation id."""
        return getattr(self.handler, "__name__", "operation")

    def signature(self) -> "Signature":
        """What goes in and out, read from the handler's annotations."""
        hints = get_type_hints(self.handler)
        call = next(hint for name, hint in hints.items() if name != "return" and get_origin(hint) is Call)
        query, body = get_args(call)
        returns = hints["return"]
        if get_origin(returns) is AfterCommit:
            (returns,) = get_args(returns)
        created = get_origin(returns) is Created
        if created:
            (returns,) = get_args(returns)
        return Signature(query, None if body is type(None) else body, returns, created)

    @property
    def doc(self) -> str:
        """The handler's docstring."""
        return inspect.getdoc(self.handler) or self.name


@dataclass(frozen=True, slots=True)
class Signature:
    """The types of a route: `returns` None is 204."""

    query: Any
    body: Any
    returns: Any
    created: bool


def get(path: str, handler: RouteHandler, scope: Scope | None, *, problems: tuple[int, ...] = ()) -> Route:
    """Read something."""
    return Route("GET", path, handler, scope, problems=problems)


def post(
    path: str,
    handler: RouteHandler,
    scope: Scope | None,
    *,
    status: int = 200,
    acts: bool = True,
    problems: tuple[int, ...] = (),
) -> Route:
    """Make or do something; honours Idempotency-Key unless `acts` is False."""
    return Route("POST", path, handler, scope, status, acts, problems)


def put(path: str, handler: RouteHandler, scope: Scope | None, *, problems: tuple[int, ...] = ()) -> Route:
    """Replace something."""
    return Route("PUT", path, handler, scope, problems=problems)


def patch(path: str, handler: RouteHandler, scope: Scope | None, *, problems: tuple[int, ...] = ()) -> Route:
    """Change some fields; honours If-Match through `call.if_match`."""
    return Route("PATCH", path, handler, scope, problems=problems)


def delete(path: str, handler: RouteHandler, scope: Scope | None, *, problems: tuple[int, ...] = ()) -> Route:
    """Remove something."""
    return Route("DELETE", path, handler, scope, status=204, problems=problems)


Position = str | int | datetime | UUID
"""A part of the sort key of a list."""

_LARGEST = 2**63 - 1


def page_of(
    found: Sequence[T], paging: Paging, view: Callable[[T], ViewT], position: Callable[[T], tuple[Position, ...]]
) -> Page[ViewT]:
    """A page of what was found, which is one item more than `paging.limit` where another page follows.

    `position` is the sort key of an item: that of the last one is where the next page goes on.
    """
    shown = found[: paging.limit]
    cursor = encode_cursor(*position(shown[-1])) if len(found) > len(shown) else None
    return Page(items=[view(item) for item in shown], next_cursor=cursor)


def encode_cursor(*position: Position) -> str:
    """Make an opaque cursor of a sort key."""
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def decode_cursor(cursor: str | None, *kinds: type[Position]) -> tuple[Any, ...] | None:
    """Read a cursor back as values of `kinds`; raises InvalidRequest for one that we did not make."""
    if cursor is None:
        return None
    try:
        position = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return tuple(_part(value, kind) for value, kind in zip(position, kinds, strict=True))
    except (ValueError, TypeError, binascii.Error) as error:
        problem = {"field": "cursor", "message": "unknown"}
        raise InvalidRequest("The cursor is not one of ours.", errors=[problem]) from error


def _part(value: Any, kind: type[Position]) -> Position:
    """A part of a position as it went in; raises ValueError for what no column could hold."""
    if kind is datetime:
        return _moment.validate_python(value)
    if kind is UUID:
        return UUID(str(value))
    fits = -_LARGEST <= value <= _LARGEST if isinstance(value, int) else "\0" not in value
    if not isinstance(value, kind) or not fits:
        raise ValueError(f"not a {kind.__name__}")
    return value
