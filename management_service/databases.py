"""Connections to PostgreSQL: three pools per database, and a watch that notices when it no longer answers.

What consumers and requests need is kept apart from what people ask over HTTP, so that reports cannot take the last
connection from a transaction that begins.
"""

import asyncio
import time
from typing import Any
from weakref import WeakSet

import structlog
from sqlalchemy import ExceptionContext, TextClause, event, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from management_service.metrics import DATABASE_GIVEN_UP
from management_service.settings import ManagementSettings
from modules.kernel.errors import Unavailable
from modules.kernel.work import without_detail

log = structlog.get_logger()

_POOL_TIMEOUT_S = 5.0
_WATCH_EVERY_S = 1.0
_KEEPALIVE = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}
_PING = text("SELECT 1")
_START_S = 5.0
_READY_S = 2.0


class Database:
    """One database: `working` is the pool of consumers, requests and services, `serving` that of HTTP.

    `relaying` is the pool of those who publish: they wait for the bus with a transaction open, and in one process the
    bus waits for consumers. A server that is there and does not answer (frozen, or its host gone without a word) would
    keep us waiting for ever: no time limit of its own is counted while it stands still. So once a second it is asked
    something on a connection of the watch's own; where the answer does not come within `database_answer_s`, all
    connections are cut, and whatever waited on them fails as if the server had closed them.
    """

    def __init__(self, url: str, settings: ManagementSettings) -> None:
        size = settings.database_pool_size
        serving, relaying = max(2, size * 3 // 10), max(1, size // 5)
        self._arguments = _arguments(settings)
        self._patience_s = settings.database_answer_s
        self._drivers: WeakSet[Any] = WeakSet()
        self._answers = True
        self._watch: asyncio.Task[None] | None = None
        self.working = self._engine(url, max(1, size - serving - relaying))
        self.serving = self._engine(url, serving)
        self.relaying = self._engine(url, relaying)
        self._watching = create_async_engine(url, poolclass=NullPool, connect_args=self._arguments)

    def check(self) -> None:
        """Raise Unavailable while it is known that the database does not answer."""
        if not self._answers:
            raise Unavailable("The database does not answer.")

    async def wait(self) -> None:
        """Try until the database answers, saying so; from then on it is watched."""
        await self._until_it_works(_PING, "waiting_for_database")
        self._watch = asyncio.create_task(self._keep_watch())

    async def wait_for_schema(self, schema: str) -> None:
        """Wait for the first migration of a schema, saying so: somebody else may migrate later than this starts."""
        await self._until_it_works(text(f"SELECT FROM {schema}.inbox LIMIT 0"), "waiting_for_migrations")

    async def answers(self) -> bool:
        """Whether it answers now."""
        try:
            self.check()
            async with asyncio.timeout(_READY_S), self.working.connect() as connection:
                await connection.execute(_PING)
        except Exception:  # whatever it is, it is not ready
            return False
        return True

    async def close(self) -> None:
        """Close all connections."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        for engine in (self.serving, self.relaying, self.working, self._watching):
            await engine.dispose()

    async def _until_it_works(self, statement: TextClause, event_name: str) -> None:
        while True:
            try:
                async with asyncio.timeout(_START_S), self.working.connect() as connection:
                    await connection.execute(statement)
            except Exception as error:
                name = self.working.url.render_as_string()
                log.warning(event_name, database=name, error=repr(error))
                await asyncio.sleep(1.0)
            else:
                return

    def _engine(self, url: str, size: int) -> AsyncEngine:
        engine = create_async_engine(
            url,
            pool_size=size,
            max_overflow=0,
            pool_timeout=_POOL_TIMEOUT_S,
            pool_pre_ping=False,
            hide_parameters=True,  # errors are logged, and what is stored may be secret
            connect_args=self._arguments,
        )

        @event.listens_for(engine.sync_engine, "connect")
        def connected(connection: Any, _: object) -> None:
            self._drivers.add(connection.driver_connection)

        event.listen(engine.sync_engine, "handle_error", _leave_out_rows)
        return engine

    async def _keep_watch(self) -> None:
        """Slow connecting alone is no reason to cut connections that live: only where an answer had failed to come."""
        is_late = False
        while True:
            try:
                async with self._watching.connect() as connection:
                    driver = (await connection.get_raw_connection()).driver_connection
                    self._answers, is_late = True, False
                    await self._ask(driver)
                    is_late = True
            except TimeoutError:
                if is_late and self._answers:
                    self._give_up()
            except Exception as error:  # closed or refused: whoever uses a connection is told so as well
                log.debug("database_watch_waits", error=repr(error))
            await asyncio.sleep(_WATCH_EVERY_S)

    async def _ask(self, driver: Any) -> None:
        """Ask again and again; returns when there was no answer."""
        while True:
            began = time.monotonic()
            try:
                await driver.fetchval("SELECT 1", timeout=self._patience_s)
            except TimeoutError:
                _cut(driver)
                if time.monotonic() - began < self._patience_s + _WATCH_EVERY_S:  # else we ourselves stood still
                    self._give_up()
                return
            await asyncio.sleep(_WATCH_EVERY_S)

    def _give_up(self) -> None:
        self._answers = False
        DATABASE_GIVEN_UP.inc()
        log.error("database_does_not_answer", cut=len(self._drivers), after_s=self._patience_s)
        for driver in list(self._drivers):
            _cut(driver)


def _cut(driver: Any) -> None:
    """End a connection as the network would: asyncpg's own ways wait for the server, or leave a waiter without word."""
    driver._transport.abort()  # noqa: SLF001 -- it has no other way


def _leave_out_rows(refused: ExceptionContext) -> None:
    """Take out of an error what PostgreSQL quotes of rows and keys: errors are logged, and that may be secret, too."""
    for error in (refused.original_exception, refused.sqlalchemy_exception):
        if error is not None and error.args and isinstance(error.args[0], str):
            error.args = (error.args[0].partition("\nDETAIL:")[0], *error.args[1:])
    without_detail(refused.original_exception.__cause__)


def _arguments(settings: ManagementSettings) -> dict[str, Any]:
    limits = {
        "statement_timeout": settings.database_statement_timeout_s,
        "lock_timeout": settings.database_lock_timeout_s,
        "idle_in_transaction_session_timeout": settings.database_idle_in_transaction_s,
    }
    in_milliseconds = {name: str(int(seconds * 1000)) for name, seconds in limits.items()}
    return {
        "timeout": settings.database_connect_timeout_s,
        "server_settings": {"application_name": "strum", **_KEEPALIVE, **in_milliseconds},
    }
