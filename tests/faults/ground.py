"""Servers of a test's own, which it may kill, freeze and fill, and the services on them."""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import make_url
from yarl import URL

import migrations
from tests.e2e.stack import Stack, stack
from tests.faults.proxy import FaultProxy
from tests.services.postgres import PrivatePostgres
from tests.services.rabbitmq import PrivateRabbit

PREFIX = "strum"
_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 4 * 2**30
_SETTINGS = {
    "authorization__accept_unknown_tokens": "true",
    "log_level": "warning",
    "api_rate": "1000000",  # the oracle reads everything at once
    "api_burst": "1000000",
    "api_source_rate": "1000000",
    "api_source_burst": "1000000",
}


@dataclass
class Ground:
    """A broker and a database server, each with a proxy before it that our services go through, and the services."""

    broker: PrivateRabbit
    broker_proxy: FaultProxy
    database: PrivatePostgres
    database_proxy: FaultProxy
    strum: Stack


@contextmanager
def _files(directory: Path) -> Iterator[Path]:
    """Where the servers keep their files: in memory if there is room, else in `directory`.

    What is killed is a process: it loses nothing that it wrote. How busy the disk is with other tests is not what is
    tried; F16 has a disk of its own.
    """
    if not _MEMORY.is_dir() or shutil.disk_usage(_MEMORY).free < _ROOM_BYTES:
        yield directory
        return
    with TemporaryDirectory(prefix="strum-ground-", dir=_MEMORY, ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)  # PostgreSQL runs as somebody else
        yield Path(name)


@asynccontextmanager
async def ground(directory: Path, *, migrate: bool = True, **settings: str) -> AsyncIterator[Ground]:
    """Start the servers and migrate; no service is started. `settings` as of `tests.e2e.stack.stack`."""
    async with AsyncExitStack() as closing:
        files = closing.enter_context(_files(directory))
        broker = await closing.enter_async_context(PrivateRabbit(files / "broker", counts_every_s=0.5))
        database = await closing.enter_async_context(PrivatePostgres(files / "database"))
        if migrate:
            await migrations.upgrade(database.url)
        broker_proxy = await closing.enter_async_context(FaultProxy(broker.port))
        socket = Path(str(make_url(database.url).query["host"])) / ".s.PGSQL.5432"
        database_proxy = await closing.enter_async_context(FaultProxy(str(socket)))
        running = await closing.enter_async_context(
            stack(
                f"postgresql+asyncpg://postgres@127.0.0.1:{database_proxy.port}/postgres",
                str(URL(broker.url).with_port(broker_proxy.port)),
                PREFIX,
                directory,
                **{**_SETTINGS, **settings},
            )
        )
        yield Ground(broker, broker_proxy, database, database_proxy, running)
