"""Light honest stations whose waiting time is measured while somebody else misbehaves."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

import aiohttp
import orjson

_WINDOW_S = 5.0


@dataclass
class Honest:
    """Stations of 1.6 that send meter values and heartbeats now and then, each after the answer to the last."""

    waited: list[tuple[float, float]] = field(default_factory=list)
    """When each was asked, by the monotonic clock, and what its answer took, in seconds."""
    refused: int = 0

    async def measured(self, seconds: float) -> float:
        """Let some time pass; `p99_s` of it."""
        self.waited.clear()
        await asyncio.sleep(seconds)
        return self.p99_s()

    def p99_s(self) -> float:
        """The 99th percentile of what answers took since `waited` was last cleared: the median of windows of 5 s.

        So a moment in which the machine is busy with another test does not count, and what lasts does.
        """
        windows: dict[int, list[float]] = {}
        for at, took in self.waited:
            windows.setdefault(int(at / _WINDOW_S), []).append(took)
        assert len(self.waited) >= 100, f"{len(self.waited)} answers only"
        return statistics.median(sorted(window)[len(window) * 99 // 100] for window in windows.values())

    async def live(self, socket: aiohttp.ClientWebSocketResponse, every_s: float, random: Random) -> None:
        """Say something about every so many seconds, for ever."""
        count = 0
        while True:
            await asyncio.sleep(every_s * random.uniform(0.5, 1.5))
            count += 1
            begun = time.monotonic()
            await socket.send_str(_message(count))
            answer = orjson.loads(await socket.receive_str(timeout=60))
            self.waited.append((begun, time.monotonic() - begun))
            self.refused += answer[0] != 3


@asynccontextmanager
async def honest(url: str, stations: int, *, every_s: float = 1.0, seed: int = 1) -> AsyncIterator[Honest]:
    """Connect them; they talk until the block ends."""
    fleet, random = Honest(), Random(seed)
    async with AsyncExitStack() as closing:
        session = await closing.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar())
        )
        talking = []
        for number in range(stations):
            socket = await closing.enter_async_context(
                session.ws_connect(f"{url}/HONEST-{number:04}", protocols=("ocpp1.6",))
            )
            await socket.send_str('[2,"boot","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]')
            assert orjson.loads(await socket.receive_str())[0] == 3
            talking.append(asyncio.create_task(fleet.live(socket, every_s, random)))
        try:
            yield fleet
            broken = [task for task in talking if task.done()]
            assert not broken, broken[0]
        finally:
            for task in talking:
                task.cancel()
            await asyncio.gather(*talking, return_exceptions=True)


def _message(count: int) -> str:
    if count % 2:
        return f'[2,"h{count}","Heartbeat",{{}}]'
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    values = [{"timestamp": at, "sampledValue": [{"value": str(count)}]}]
    return orjson.dumps([2, f"m{count}", "MeterValues", {"connectorId": 1, "meterValue": values}]).decode()
