"""One unit of work: a database transaction, the events it publishes, and what it may ask of others."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, Protocol, TypeVar, cast, runtime_checkable

from asyncpg import PostgresError
from pydantic import BaseModel
from sqlalchemy import CursorResult, Executable, Table, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from modules.kernel.errors import Unavailable
from shared_contracts.bus import Bus, ask, tell
from shared_contracts.message import Envelope, Event, R, Request

T = TypeVar("T")

Origin = tuple[str | None, str | None]
"""The id and the trace of a message."""


class Work:
    """What a handler works with. The host opens and commits it; a handler never does.

    The connection is taken when the first statement runs, so that asking another module first holds none.
    Published events leave through the outbox, after the commit and only then.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        bus: Bus,
        resources: Mapping[type, object],
        *,
        now: datetime | None = None,
        cause: str | None = None,
        trace: str | None = None,
    ) -> None:
        self.now = now or datetime.now(UTC)
        self.cause = cause
        self.trace = trace
        self.origins: Mapping[str | None, Origin] = {}
        """Of handlers that take many messages at once: the last one of each station, to which what is said is put."""
        self.outgoing: list[tuple[Envelope, str | None]] = []
        self.subject: str | None = None
        """Whose account this is about where the caller is yet to sign in: the audit trail names them."""
        self._engine = engine
        self._bus = bus
        self._resources = resources
        self._connection: AsyncConnection | None = None

    async def connection(self) -> AsyncConnection:
        """The connection of this work, its transaction begun."""
        if self._connection is None:
            try:
                self._connection = await self._engine.connect()
            except (OSError, TimeoutError) as error:
                raise Unavailable("The database cannot be reached.") from error
            await self._connection.begin()
        return self._connection

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Run one statement in this work's transaction."""
        return await (await self.connection()).execute(statement, parameters)

    async def copy(self, table: Table, columns: Sequence[str], records: Sequence[Sequence[Any]]) -> None:
        """Store many rows with COPY: a few microseconds a row, no conflict handling."""
        connection = await self.connection()
        driver = cast("Any", (await connection.get_raw_connection()).driver_connection)
        if not driver.is_in_transaction():  # SQLAlchemy begins with its first statement, which this would not be
            await connection.execute(text("SELECT 1"))
        try:
            await driver.copy_records_to_table(table.name, schema_name=table.schema, columns=columns, records=records)
        except PostgresError as error:
            without_detail(error)
            raise

    def publish(self, event: Event, *, occurred_at: datetime | None = None) -> None:
        """Say a fact, once this work is committed."""
        cause, trace = self.origins.get(event.station, (self.cause, self.trace))
        envelope = Envelope.of(event, occurred_at=occurred_at or self.now, cause=cause, trace=trace)
        self.outgoing.append((envelope, None))

    def send_again(self, envelope: Envelope, *, to_module: str) -> None:
        """Send a stored event to one module, once this work is committed."""
        self.outgoing.append((envelope, to_module))

    async def ask(self, request: Request[R], *, timeout: float = 5.0) -> R:
        """Ask another module, before this work touches the database. Errors as of `Bus.request`."""
        return await ask(self._bus, request, timeout=timeout, cause=self.cause, trace=self.trace)

    async def tell(self, request: Request[R], *, timeout: float) -> R:
        """Command a station. Errors as of `Bus.command`."""
        return await tell(self._bus, request, timeout=timeout, cause=self.cause, trace=self.trace)

    def resource(self, kind: type[T]) -> T:
        """What the module opened at start, by its type (a store, a dispatcher, its settings)."""
        return cast("T", self._resources[kind])

    async def commit(self) -> None:
        """For the host only."""
        if self._connection is not None:
            await self._connection.commit()

    async def rollback(self) -> None:
        """For the host only: undo, and forget what was to be published."""
        self.outgoing.clear()
        if self._connection is not None:
            await self._connection.rollback()

    async def close(self) -> None:
        """For the host only: give the connection back."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()


def without_detail(error: BaseException | None) -> None:
    """Take out of an error of PostgreSQL the row or the key that it quotes."""
    if isinstance(error, PostgresError):
        error.detail = None


V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class AfterCommit(Generic[V]):
    """What a handler returns when its answer comes from something that may only begin once the work is committed."""

    answer: Callable[[], Awaitable[V]]


@runtime_checkable
class Finishing(Protocol):
    """A resource that may have something under way for which it needs the bus: it ends that before the bus stops."""

    async def drain(self) -> None:
        """Let what is under way end, for a moment."""
        ...


class ModuleContext(Protocol):
    """What a module gets when it starts, for its resources and services."""

    bus: Bus
    settings: BaseModel
    resources: dict[type, object]

    def work(self, *, trace: str | None = None, cause: str | None = None) -> AbstractAsyncContextManager[Work]:
        """Open a work that commits on leaving, relays its events, and rolls back on an exception."""
        ...

    def serve(self, *, trace: str | None = None) -> AbstractAsyncContextManager[Work]:
        """The same for what is read for a request over HTTP: it takes no connection from consumers."""
        ...
