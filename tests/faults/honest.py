"""Light honest stations whose waiting time is measured while somebody else misbehaves.

They are a process of their own: `python -m tests.faults.honest URL STATIONS`. The attack has another, which may stand
still over it without anybody's clock noticing. It prints each answer as a line of JSON and ends with its input.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

import aiohttp
import orjson

_WINDOW_S = 5.0
_EVERY_S = 1.0
_BOOT = '[2,"boot","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]'
_TOLD_S = 0.5


@dataclass
class Honest:
    """Stations of 1.6 that send meter values and heartbeats now and then, each after the answer to the last."""

    waited: list[tuple[float, float]] = field(default_factory=list)
    """When each was asked, by the clock of `monotonic`, and what its answer took, in seconds."""
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

    async def listen(self, lines: asyncio.StreamReader) -> None:
        """Take what the process tells until it ends."""
        async for line in lines:
            at, took, refused = orjson.loads(line)
            self.waited.append((at, took))
            self.refused += refused


@asynccontextmanager
async def honest(url: str, stations: int) -> AsyncIterator[Honest]:
    """Connect them; they talk until the block ends. All must still be there then."""
    pipe = asyncio.subprocess.PIPE
    arguments = ("-m", "tests.faults.honest", url, str(stations))
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    fleet = Honest()
    try:
        assert await process.stdout.readline() == b"connected\n"
        listening = asyncio.create_task(fleet.listen(process.stdout))
        yield fleet
        await asyncio.sleep(_TOLD_S)
        assert process.returncode is None, "one of the honest stations lost its connection, or got no answer"
        process.stdin.close()
        await asyncio.wait_for(listening, 10)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def live(socket: aiohttp.ClientWebSocketResponse, random: Random) -> None:
    """Say something about every so many seconds, for ever."""
    count = 0
    while True:
        await asyncio.sleep(_EVERY_S * random.uniform(0.5, 1.5))
        count += 1
        begun = time.monotonic()
        await socket.send_str(_message(count))
        async with asyncio.timeout(60):
            answer = orjson.loads(await socket.receive_str())
        _tell(orjson.dumps((begun, time.monotonic() - begun, answer[0] != 3)))


async def main(url: str, stations: int) -> None:
    """Connect all, then talk until the input ends; the first that fails ends the process."""
    random = Random(1)
    async with AsyncExitStack() as closing:
        session = await closing.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar())
        )
        sockets = [
            await closing.enter_async_context(session.ws_connect(f"{url}/HONEST-{number:04}", protocols=("ocpp1.6",)))
            for number in range(stations)
        ]
        for socket in sockets:
            await socket.send_str(_BOOT)
            assert orjson.loads(await socket.receive_str())[0] == 3
        _tell(b"connected")
        ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
        talking = [asyncio.create_task(live(socket, random)) for socket in sockets]
        ending = asyncio.create_task(ended.wait())
        done, _ = await asyncio.wait((ending, *talking), return_when=asyncio.FIRST_COMPLETED)
        for task in talking:
            task.cancel()
        for task in done:
            task.result()


def _tell(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def _message(count: int) -> str:
    if count % 2:
        return f'[2,"h{count}","Heartbeat",{{}}]'
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    values = [{"timestamp": at, "sampledValue": [{"value": str(count)}]}]
    return orjson.dumps([2, f"m{count}", "MeterValues", {"connectorId": 1, "meterValue": values}]).decode()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
