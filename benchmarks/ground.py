"""What all measurements stand on: a PostgreSQL and a RabbitMQ of their own, so that their CPU is of nobody else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
from sqlalchemy import make_url

import migrations
from tests.services import PrivatePostgres, PrivateRabbit
from tests.services.databases import url_of

_TEMPLATE = "migrated"


@dataclass(frozen=True)
class Size:
    """How much is measured: the default takes minutes, a test's takes a moment."""

    runs: int = 3
    seconds: float = 6.0
    stations: int = 200
    idle: int = 2000
    calls: int = 200
    settle_s: float = 3.0
    """How long memory is left to come to rest before it is read; half of it, what is stored a moment later."""

    @property
    def warm_up_s(self) -> float:
        """How long something runs before it counts."""
        return self.seconds / 3


@dataclass(frozen=True, slots=True)
class Ground:
    """The servers, a directory for logs, and the size of all that is measured."""

    directory: Path
    postgres: PrivatePostgres
    rabbit: PrivateRabbit
    size: Size

    async def new_database(self, name: str) -> str:
        """Make a database that is migrated and empty; returns its URL."""
        await self.query(f'CREATE DATABASE "{name}" TEMPLATE {_TEMPLATE}')
        return url_of(self.postgres.url, name)

    async def postgres_version(self) -> str:
        """The version of the server."""
        return str(await self.query("SHOW server_version"))

    async def query(self, statement: str) -> object:
        """The first value that a statement gives, if it gives any."""
        connection = await asyncpg.connect(driver_url(self.postgres.url))
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()


@asynccontextmanager
async def prepared(size: Size) -> AsyncIterator[Ground]:
    """Start the servers, durable as in production; they and their data are gone afterwards."""
    with TemporaryDirectory(prefix="strum-bench-") as name:
        directory = Path(name)
        async with PrivatePostgres(directory / "postgres") as postgres, PrivateRabbit(directory / "rabbit") as rabbit:
            ground = Ground(directory, postgres, rabbit, size)
            await ground.query(f"CREATE DATABASE {_TEMPLATE}")
            await migrations.upgrade(url_of(postgres.url, _TEMPLATE))
            yield ground


def driver_url(url: str) -> str:
    """A URL of SQLAlchemy as asyncpg wants it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
