"""The systems that are measured: the edge before stand-ins for the modules, and the whole."""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from sqlalchemy import make_url

from benchmarks import processes
from benchmarks.fakes import CONSUMER, PASSWORD
from benchmarks.ground import Ground
from benchmarks.processes import Process
from migrations import MODULES, roles
from tests.e2e.stack import Service, Stack, stack
from tests.faults.crashes import sabotaged


@asynccontextmanager
async def edge(ground: Ground, *arguments: str) -> AsyncIterator[tuple[Stack, Service]]:
    """`strum communication` over RabbitMQ; stand-ins admit and consume. Handshakes are not held to a pace."""
    settings = {"log_level": "warning", "keepers": CONSUMER, "handshakes_per_s": "100000", "handshakes_at_once": "5000"}
    async with (
        stack(ground.postgres.url, ground.rabbit.url, _prefix(), ground.directory, **settings) as system,
        processes.running("fakes", "modules", environment=system.environment),
    ):
        yield system, await system.communication(*arguments).start()


@asynccontextmanager
async def whole(ground: Ground, *, without: str = "", apart: bool = False, **settings: str) -> AsyncIterator[Stack]:
    """`strum management` with all modules and `strum communication`, on a database of their own; signed in.

    `without` one of the protections that `tests.faults.removals` takes away; `apart` with a database role per module.
    """
    prefix = _prefix()
    database = await ground.new_database(prefix)
    urls = await _with_roles(database) if apart else {}
    quiet = {"log_level": "warning", **urls, **settings}
    async with stack(database, ground.rabbit.url, prefix, ground.directory, **quiet) as system:
        for service in (system.management(*(["--no-migrate"] if apart else [])), system.communication()):
            with sabotaged(service, without=without) if without else nullcontext():
                await service.start()
        await system.sign_in()
        yield system


@asynccontextmanager
async def stations(port: int, prefix: str, count: int, **arguments: object) -> AsyncIterator[Process]:
    """A load generator with open connections to what listens on `port`."""
    async with processes.running("load") as load:
        await load.ask("connect", port=port, prefix=prefix, count=count, **{"password": PASSWORD, **arguments})
        yield load


def pid_of(service: Service) -> int:
    """The process id of a service that was started."""
    assert service.process is not None
    return service.process.pid


async def _with_roles(database: str) -> dict[str, str]:
    """Make a role for each module; the settings that say so."""
    url = make_url(database)
    urls = {
        name: url.set(username=f"bench_{name}", password=secrets.token_hex(8)).render_as_string(hide_password=False)
        for name in MODULES
    }
    await roles.grant(database, modules=urls)
    return {f"{name}__database_url": url for name, url in urls.items()}


def _prefix() -> str:
    return f"bench-{secrets.token_hex(4)}"


def clean_environment() -> dict[str, str]:
    """The environment without settings of Strum, so that what is measured are its defaults."""
    return {name: value for name, value in os.environ.items() if not name.startswith("STRUM_")}
