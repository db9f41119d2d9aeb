"""Fresh databases for tests: copies of a template that is migrated once in a run, used again where that is safe.

Names carry the run (day, machine, process), so that what a killed run left behind can be told and dropped.
"""

import asyncio
import os
import secrets
import socket
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

import asyncpg
from sqlalchemy import make_url

from tests.services.recycling import Pristine

_PREFIX = "strumtest"
_RESTORE_S = 10.0

_idle: list[tuple[str, Pristine]] = []
"""Databases that this process may use again, and what each was like in the beginning."""


@dataclass(frozen=True)
class Run:
    """One run of the tests: a day, a machine and the process that leads it."""

    day: str
    machine: str
    pid: int

    @classmethod
    def of_this_process(cls) -> Self:
        """The run that this process leads."""
        return cls(datetime.now(UTC).strftime("%Y%m%d"), _machine(), os.getpid())

    @classmethod
    def parse(cls, name: str) -> Self | None:
        """The run that a name belongs to, None if the name is not of a test."""
        match name.split("_", maxsplit=4):
            case [prefix, day, machine, pid, *_] if prefix == _PREFIX and pid.isdigit():
                return cls(day, machine, int(pid))
        return None

    def __str__(self) -> str:
        return f"{_PREFIX}_{self.day}_{self.machine}_{self.pid}"

    @property
    def is_over(self) -> bool:
        """Whether the run has ended: its process on this machine, or on another machine its day and the next."""
        if self.machine == _machine():
            return not _lives(self.pid)
        return (datetime.now(UTC) - datetime.strptime(self.day, "%Y%m%d").replace(tzinfo=UTC)).days >= 2


def _machine() -> str:
    return f"{zlib.crc32(socket.gethostname().encode()):08x}"


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


async def make_template(server: str, run: Run, migrate: Callable[[str], Awaitable[None]]) -> str:
    """Make the run's template unless another worker did, and return its name; drop what ended runs left."""
    name = f"{run}_template"
    connection = await _connect(server)
    try:
        await connection.execute("SELECT pg_advisory_lock(hashtext($1))", name)
        if await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name) is None:
            await _drop_where(connection, lambda other: other.is_over)
            await connection.execute(f"CREATE DATABASE {name}_new TEMPLATE template0 ENCODING 'UTF8'")
            await migrate(url_of(server, f"{name}_new"))
            await connection.execute(f"ALTER DATABASE {name}_new RENAME TO {name}")
    finally:
        await connection.close()
    return name


@asynccontextmanager
async def fresh_database(server: str, run: Run, template: str) -> AsyncIterator[str]:
    """The URL of a new copy of `template`, dropped at the end whoever still uses it."""
    name = f"{run}_{secrets.token_hex(4)}"
    await _execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield url_of(server, name)
    finally:
        await _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def recycled_database(server: str, run: Run, template: str) -> AsyncIterator[str]:
    """The URL of a copy of `template`, or of one that another test of this process used and that is as good as new."""
    name = f"{run}_{secrets.token_hex(4)}"
    pristine = await _recycle(server, name)
    if pristine is None:
        await _execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
        pristine = await _pristine_of(url_of(server, name))
    try:
        yield url_of(server, name)
    finally:
        if await _restored(url_of(server, name), pristine):
            _idle.append((name, pristine))
        else:
            await _execute(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


async def _recycle(server: str, name: str) -> Pristine | None:
    """Give a database that is idle a name that nobody who outlived its last test knows. None where there is none."""
    while _idle:
        former, pristine = _idle.pop()
        try:
            await _execute(server, f"ALTER DATABASE {former} RENAME TO {name}")
        except asyncpg.PostgresError:  # somebody came back to it
            await _execute(server, f"DROP DATABASE IF EXISTS {former} WITH (FORCE)")
        else:
            return pristine
    return None


async def drop_databases(server: str, run: Run) -> None:
    """Drop all databases of `run`."""
    connection = await _connect(server)
    try:
        await _drop_where(connection, lambda other: other == run)
    finally:
        await connection.close()


def url_of(server: str, database: str) -> str:
    """The URL of a database on `server`."""
    return make_url(server).set(database=database).render_as_string(hide_password=False)


async def _pristine_of(url: str) -> Pristine:
    connection = await _connect(url)
    try:
        return await Pristine.of(connection)
    finally:
        await connection.close()


async def _restored(url: str, pristine: Pristine) -> bool:
    try:
        connection = await _connect(url)
        try:
            async with asyncio.timeout(_RESTORE_S):
                return await pristine.restore(connection)
        finally:
            await connection.close(timeout=_RESTORE_S)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
        return False  # whatever is the matter with it: the next test gets a new one


async def _drop_where(connection: asyncpg.Connection, chosen: Callable[[Run], bool]) -> None:
    for row in await connection.fetch("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", _PREFIX):
        run = Run.parse(row["datname"])
        if run is not None and chosen(run):
            await connection.execute(f"DROP DATABASE IF EXISTS {row['datname']} WITH (FORCE)")


async def _execute(server: str, statement: str) -> None:
    connection = await _connect(server)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _connect(server: str) -> asyncpg.Connection:
    return await asyncpg.connect(make_url(server).set(drivername="postgresql").render_as_string(hide_password=False))
