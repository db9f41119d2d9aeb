"""F23: all stations come back at once, each with a backlog: order kept, nobody refused, memory bounded."""

import asyncio
import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from communication_service.ocpp.versions import Version
from tests.communication_service.phrases import begin, boot, call, end
from tests.faults.ground import Ground
from tests.faults.sizes import size
from tests.figures import Figure

pytestmark = [pytest.mark.alone, pytest.mark.timeout(1500)]

STATIONS = size(200, 1_000)
MESSAGES = 200
PATIENCE_S, TRIES = 60.0, 5
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Storm:
    """What the stations saw."""

    refused: list[str] = field(default_factory=list)
    heartbeats_s: list[float] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    repeated: int = 0

    async def come_back(self, session: aiohttp.ClientSession, url: str, station_id: str) -> None:
        """Boot, and deliver a transaction that was lived through offline, one message after the other."""
        async with await _let_in(session, f"{url}/{station_id}") as socket:
            await self._say(socket, boot(Version.V16))
            number = (await self._say(socket, begin(Version.V16, at=_at(0))))["transactionId"]
            self.numbers[station_id] = number
            for count in range(1, MESSAGES - 1):
                await self._say(socket, _sample(number, count))
                if count % 20 == 0:
                    begun = time.monotonic()
                    await self._say(socket, call("Heartbeat", {}, f"h{count}"))
                    self.heartbeats_s.append(time.monotonic() - begun)
            await self._say(socket, end(Version.V16, number=number, at=_at(MESSAGES), meter=MESSAGES))

    async def _say(self, socket: aiohttp.ClientWebSocketResponse, text: str) -> dict[str, Any]:
        """Say it until it is answered: silence means that it is to be said again."""
        for _ in range(TRIES):
            await socket.send_str(text)
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    answer = orjson.loads(await socket.receive_str())
                if answer[0] != 3:
                    self.refused.append(repr(answer)[:200])
                return dict(answer[2])
            self.repeated += 1
        raise AssertionError(f"not answered {TRIES} times: {text[:200]}")


async def _let_in(session: aiohttp.ClientSession, url: str) -> aiohttp.ClientWebSocketResponse:
    """Knock until there is room: whoever is too much for the moment gets 503."""
    while True:
        try:
            return await session.ws_connect(url, protocols=("ocpp1.6",))
        except aiohttp.WSServerHandshakeError as refused:
            if refused.status != 503:
                raise
        await asyncio.sleep(1.0)


def _at(minute: int) -> str:
    return (BEGAN + timedelta(minutes=minute)).isoformat().replace("+00:00", "Z")


def _sample(number: int, count: int) -> str:
    reading = {"timestamp": _at(count), "sampledValue": [{"value": str(count)}]}
    return call("MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": [reading]}, f"m{count}")


def _resident_mib(ground: Ground) -> float:
    pids = [service.process.pid for service in ground.strum.services if service.process is not None]
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def test_a_storm_of_backlogs_is_taken_in_order_and_refuses_nobody(faulty: Ground, figure: Figure) -> None:
    storm, before_mib, begun = Storm(), _resident_mib(faulty), time.monotonic()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        names = [f"STORM-{number:04}" for number in range(STATIONS)]
        await asyncio.gather(*(storm.come_back(session, faulty.strum.ocpp_url, name) for name in names))
    lasted_s = time.monotonic() - begun
    grown_mib = _resident_mib(faulty) - before_mib
    await faulty.strum.eventually("/transactions", lambda page: not page["items"], open=True, within_s=60)
    shown = {one["station_id"]: one for one in await faulty.strum.pages("/transactions")}

    figure("F23", "stations that came back with 200 messages each", STATIONS)
    figure("F23", "messages taken", STATIONS * MESSAGES / lasted_s, "1/s")
    figure("F23", "messages that stations had to repeat", storm.repeated)
    figure("F23", "longest wait for a Heartbeat", max(storm.heartbeats_s), "s", at_most=5)
    figure("F23", "memory that both services grew by", grown_mib, "MiB", at_most=256)
    assert storm.refused == []
    assert {name: (one["state"], one["energy_wh"], one["offline"]) for name, one in shown.items()} == dict.fromkeys(
        names, ("finished", MESSAGES, True)
    )
    await _check_order(faulty, names[:: max(1, STATIONS // 10)])


async def _check_order(ground: Ground, names: list[str]) -> None:
    """The events of a station are stored in the order in which they were delivered."""
    for name in names:
        items = await ground.strum.pages("/events", station_id=name)
        sampled = [
            item["payload"]["readings"][0]["sampled_at"]
            for item in items
            if item["key"] == "stations.meters_sampled.v1"
        ]
        assert len(set(sampled)) == MESSAGES - 2
        assert sampled in (sorted(sampled), sorted(sampled, reverse=True))
