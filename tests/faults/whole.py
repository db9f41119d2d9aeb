"""Edge and modules in one process, as in `strum up`: for what stations say, where no process has to die."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from communication_service.app import Communication
from communication_service.ocpp.versions import Version
from communication_service.settings import CommunicationSettings
from modules.catalogue import NAMES
from tests.communication_service.phrases import boot
from tests.communication_service.stations import Station
from tests.harness import Client, Running, running

_HOSTED = tuple(name for name in NAMES if name != "users")  # the harness signs tokens itself


@dataclass
class Whole:
    """Strum, and where stations connect."""

    strum: Running
    communication: Communication
    http: aiohttp.ClientSession

    @property
    def api(self) -> Client:
        """The API as the administrator."""
        return self.strum.api()

    async def page(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """The first items of a list."""
        status, body = await self.api.get(path, **query)
        assert status == 200, body
        return list(body["items"])

    @asynccontextmanager
    async def station(self, version: Version = Version.V16, station_id: str = "CS1") -> AsyncIterator[Station]:
        """A station that has booted."""
        url = f"ws://127.0.0.1:{self.communication.port}/ocpp/{station_id}"
        async with self.http.ws_connect(url, protocols=(version.subprotocol,)) as socket:
            station = Station(socket)
            await say(station, boot(version))
            yield station


async def say(station: Station, text: str) -> dict[str, Any]:
    """Send a CALL; the payload of its CALLRESULT, for nothing else may come."""
    await station.send(text)
    answer = await station.receive(30)
    assert answer[:2] == [3, orjson.loads(text)[1]], answer
    return dict(answer[2])


@asynccontextmanager
async def whole(database: str, **settings: Any) -> AsyncIterator[Whole]:
    """Everything on a migrated database; `settings` as of `tests.harness.running`."""
    given: dict[str, Any] = {
        "charge_points": {"unknown_stations": "accept"},
        "authorization": {"accept_unknown_tokens": True},
        **settings,
    }
    async with AsyncExitStack() as closing:
        strum = await closing.enter_async_context(running(database, *_HOSTED, **given))
        edge = Communication(CommunicationSettings(ocpp_port=0, health_port=0), strum.bus, share_bus=True)
        await edge.start()
        closing.push_async_callback(edge.stop)
        yield Whole(strum, edge, await closing.enter_async_context(aiohttp.ClientSession()))
