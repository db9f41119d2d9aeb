"""A module as a value: its table of contents, which the host mounts and runs."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import MetaData

from modules.kernel.http import Route
from modules.kernel.work import AfterCommit, ModuleContext, Work
from shared_contracts.message import Envelope, Event, R, Request

E = TypeVar("E", bound=Event)
T = TypeVar("T")


class NoSettings(BaseModel):
    """For a module that has none."""


@dataclass(frozen=True, slots=True)
class EventHandler:
    """Handles events of one key: one at a time, or all of a batch at once. `read` decodes a payload, or raises."""

    event: type[Event]
    read: Callable[[bytes], Any]
    one: Callable[[Any, Work], Awaitable[None]] | None = None
    many: Callable[[Sequence[Any], Work], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class EnvelopeHandler:
    """Takes every event there is, payload unread."""

    many: Callable[[Sequence[Envelope], Work], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class RequestHandler:
    """Answers requests of one key."""

    request: type[Request[Any]]
    answer: Callable[[Any, Work], Awaitable[Any]]


Handler = EventHandler | EnvelopeHandler | RequestHandler


def handle(event: type[E], function: Callable[[E, Work], Awaitable[None]]) -> EventHandler:
    """Call `function` for each event, in the order of the station."""
    return EventHandler(event, event.model_validate_json, one=function)


def handle_many(event: type[E], function: Callable[[Sequence[E], Work], Awaitable[None]]) -> EventHandler:
    """Call `function` with all events of this key in a batch: in order among themselves, not with other keys."""
    return EventHandler(event, event.model_validate_json, many=function)


def handle_many_read(
    event: type[Event], function: Callable[[Sequence[T], Work], Awaitable[None]], *, read: Callable[[bytes], T]
) -> EventHandler:
    """As `handle_many`, with a reader of the module's own: for messages so many that their objects cost."""
    return EventHandler(event, read, many=function)


def handle_all(function: Callable[[Sequence[Envelope], Work], Awaitable[None]]) -> EnvelopeHandler:
    """Call `function` with every envelope of a batch, whatever its key."""
    return EnvelopeHandler(function)


def answer(request: type[Request[R]], function: Callable[[Any, Work], Awaitable[R | AfterCommit[R]]]) -> RequestHandler:
    """Answer requests of this class; called concurrently, possibly more than once for the same request."""
    return RequestHandler(request, function)


@dataclass(frozen=True, slots=True)
class Service:
    """Runs as long as the host: restarted with a back-off when it fails."""

    name: str
    run: Callable[[ModuleContext], Awaitable[None]]


Resources = Callable[[ModuleContext], AbstractAsyncContextManager[Mapping[type, object]]]


@dataclass(frozen=True, slots=True)
class Module:
    """A bounded context: the schema it owns, the routes it serves, the messages it handles."""

    name: str
    tables: MetaData
    routes: tuple[Route, ...] = ()
    handlers: tuple[Handler, ...] = ()
    services: tuple[Service, ...] = ()
    resources: Resources | None = None
    settings: type[BaseModel] = field(default=NoSettings)

    @property
    def schema(self) -> str:
        """The PostgreSQL schema that the module owns."""
        assert self.tables.schema is not None
        return self.tables.schema
