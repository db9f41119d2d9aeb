"""`strum up`: the whole system in one process, on an embedded PostgreSQL and the in-process bus."""

import asyncio
import os
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from rich.console import Console

from communication_service.app import Communication
from communication_service.settings import CommunicationSettings
from management_service.app import Management
from management_service.settings import ManagementSettings, settings_type
from shared_contracts.bus import Limits, ask
from shared_contracts.memory import MemoryBus
from shared_contracts.users import CreateUser, Role, UserCreated
from simulator import Fleet
from simulator.station import Version
from strum.configuration import fail, load
from strum.embedded import DirectoryInUse, EmbeddedPostgres, PostgresDidNotStart
from strum.postgres_programs import PostgresNotFound
from strum.running import Service, hurry, reload, settle, unless, until_signal

_VERSIONS: tuple[Version, ...] = ("1.6", "2.0.1", "1.6", "2.0.1", "1.6")
_ADMIN = "admin@strum.local"
_EASY = {"charge_points": {"unknown_stations": "accept"}, "authorization": {"accept_unknown_tokens": True}}
"""On a laptop any station may connect and any id token may charge, unless the environment says otherwise."""


async def up(*, demo: int) -> None:
    """Start everything, tell where it is, run until told to stop. `demo` is the number of simulated stations."""
    directory = Path(os.environ.get("STRUM_DATA_DIR", ".strum"))
    services: list[Service] = []
    again, hangup = partial(hurry, services), partial(reload, services)
    async with until_signal(again=again, hangup=hangup) as stopped, AsyncExitStack() as stack:
        settings = load(settings_type(), log_format="console", log_level="warning", **_EASY)
        if "database_url" not in settings.model_fields_set:
            url = await _database(stack, directory / "postgres")
            settings = settings.model_copy(update={"database_url": url})
        bus = MemoryBus(Limits(shards=settings.shards))
        management = Management(settings, bus)
        communication = Communication(load(CommunicationSettings), bus, share_bus=True)
        services += management, communication
        for service in services:
            stack.push_async_callback(service.stop)
            if not await unless(stopped, service.start()):
                return
        _tell(management, communication, await _administrator(bus, settings), settings, demo)
        if demo:
            fleet = await stack.enter_async_context(_fleet(f"ws://127.0.0.1:{communication.port}/ocpp", demo))
            stack.push_async_callback(_end, asyncio.create_task(fleet.run()))
        settle()
        await stopped.wait()


async def _database(stack: AsyncExitStack, directory: Path) -> str:
    try:
        return await stack.enter_async_context(EmbeddedPostgres(directory))
    except (DirectoryInUse, PostgresDidNotStart, PostgresNotFound) as error:
        fail(f"{error}.")


async def _administrator(bus: MemoryBus, settings: ManagementSettings) -> UserCreated:
    password = settings.admin_password.get_secret_value() if settings.admin_password else None
    email = settings.admin_email or _ADMIN
    return await ask(bus, CreateUser(email=email, role=Role.ADMIN, password=password), timeout=30)


def _fleet(url: str, stations: int) -> Fleet:
    """Stations that charge for a few minutes, several times an hour; the last one waits for somebody to try it."""
    return Fleet(
        url=url,
        stations=stations,
        version=_VERSIONS,
        rate=12,
        charge_minutes=(2, 5),
        first_within_s=20,
        driven=max(stations - 1, 1),
        meter_interval=10,
    )


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _tell(
    management: Management, communication: Communication, admin: UserCreated, settings: ManagementSettings, demo: int
) -> None:
    email = settings.admin_email or _ADMIN
    secret = (
        f"password [bold]{admin.password}[/] (shown once)" if admin.password else "your password (see the first start)"
    )
    api = f"http://127.0.0.1:{management.port}"
    lines = [
        f"Stations connect to   [bold]ws://127.0.0.1:{communication.port}/ocpp/[/]<station id>",
        f"The API is at         [bold]{api}/api/v1[/]",
        f"Its documentation     [bold]{api}/api/docs[/]",
        f"Sign in as            [bold]{email}[/], {secret}",
        f"Simulated stations    {demo}" if demo else "Simulated stations    none (--demo 5)",
        "Ctrl-C stops; the data stays in .strum/",
    ]
    Console(highlight=False, soft_wrap=True).print("\n".join(lines))
