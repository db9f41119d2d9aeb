"""Fresh databases for tests: each is a copy of a template that is migrated once in a run.

Names carry the run (day, machine, process), so that what a killed run left behind can be told and dropped.
"""

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

_PREFIX = "strumtest"


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
