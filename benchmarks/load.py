"""The process of the load generator: holds stations, and does what its parent asks, a JSON object a line.

`{"do": "saturate", "seconds": 5}` calls `Load.saturate(seconds=5)`; what it returns is the line of the answer.
"""

import asyncio
import itertools
import os
import random
import sys
import time
from collections import deque
from typing import Any

import orjson

from benchmarks import frames
from benchmarks.messages import MeterValues, start_transaction, stop_transaction
from benchmarks.spread import percentile
from benchmarks.station import Station
from strum import running

_SUBPROTOCOL = "ocpp1.6"
_AT_ONCE = 50
_LAST_ANSWERS_S = 15.0
_TICK_S = 0.001

Result = dict[str, Any]


class Load:
    """Stations of one process, and the ways to use them. All times are in seconds, latencies in milliseconds."""

    def __init__(self) -> None:
        self._stations: list[Station] = []
        self._meters: dict[Station, MeterValues] = {}
        self._numbers = itertools.count(1)
        self._random = random.Random(1)

    async def connect(
        self, *, port: int, prefix: str, count: int, password: str = "", echoed: bool = False, id_tag: str = ""
    ) -> Result:
        """Open `count` connections; with an `id_tag` each begins a transaction that its MeterValues belong to."""
        names = [f"{prefix}{number:05d}" for number in range(count)]
        began = time.perf_counter()
        for some in _chunks(names, _AT_ONCE):
            self._stations += await asyncio.gather(*(_open(port, name, password, echoed=echoed) for name in some))
        took_s = time.perf_counter() - began
        for station in self._stations:
            transaction = (await self._begin(station, id_tag))[0] if id_tag else None
            self._meters[station] = MeterValues(transaction)
        return {"connections": len(self._stations), "seconds": took_s}

    async def close(self) -> Result:
        """Close all connections."""
        for station in self._stations:
            station.close()
        await asyncio.wait_for(asyncio.gather(*(station.closed for station in self._stations)), _LAST_ANSWERS_S)
        count = len(self._stations)
        self._stations, self._meters = [], {}
        return {"closed": count}

    async def saturate(self, *, seconds: float) -> Result:
        """Closed loop: each station sends its next MeterValues when the last is answered."""
        latencies: list[float] = []
        until = time.perf_counter() + seconds

        def answered(station: Station, latency_s: float) -> None:
            latencies.append(latency_s)
            if time.perf_counter() < until:
                self._send(station)

        return await self._measured(answered, latencies, self._send_all(), seconds)

    async def pace(self, *, rate: float, seconds: float) -> Result:
        """Open loop: MeterValues at random moments, `rate` a second, whatever the answers; stations take turns.

        A latency counts from the moment a message was due, so that what an unanswered CALL held up counts too.
        """
        latencies: list[float] = []
        held_up: dict[Station, deque[float]] = {station: deque() for station in self._stations}

        def answered(station: Station, latency_s: float) -> None:
            latencies.append(latency_s)
            if held_up[station]:
                self._send(station, held_up[station].popleft())

        sending = self._send_paced(held_up, rate, seconds)
        return await self._measured(answered, latencies, sending, seconds)

    async def start_transactions(self, *, count: int, id_tag: str, pause_s: float) -> Result:
        """One after the other, stations in turn: StartTransaction, whose latency is taken, then StopTransaction.

        In the pause before each, what the last ones set off comes to its end.
        """
        latencies: list[float] = []
        cpu_s = time.process_time()
        for station in itertools.islice(itertools.cycle(self._stations), count):
            await asyncio.sleep(pause_s)
            latencies.append(await self._charge(station, id_tag))
        return _summary(latencies, 0.0, time.process_time() - cpu_s)

    async def charge(self, *, seconds: float, id_tag: str) -> Result:
        """Closed loop of whole transactions: each station starts one, stops it, and starts the next."""
        began, cpu_s = time.perf_counter(), time.process_time()

        async def repeat(station: Station) -> list[float]:
            took: list[float] = []
            while time.perf_counter() < began + seconds:
                took.append(await self._charge(station, id_tag))
            return took

        all_took = await asyncio.gather(*(repeat(station) for station in self._stations))
        took_s, spent_s = time.perf_counter() - began, time.process_time() - cpu_s
        result = _summary([one for took in all_took for one in took], took_s, spent_s)
        return result | self._failed()

    async def handshakes(self, *, port: int, prefix: str, count: int, seconds: float, password: str) -> Result:
        """Connect and close, over and over, `count` stations at a time."""
        until = time.perf_counter() + seconds
        cpu_s = time.process_time()

        async def repeat(name: str) -> list[float]:
            took: list[float] = []
            while (began := time.perf_counter()) < until:
                station = await _open(port, name, password)
                took.append(time.perf_counter() - began)
                station.close()
                await station.closed
            return took

        all_took = await asyncio.gather(*(repeat(f"{prefix}{number:05d}") for number in range(count)))
        return _summary([one for took in all_took for one in took], seconds, time.process_time() - cpu_s)

    async def _charge(self, station: Station, id_tag: str) -> float:
        """StartTransaction, whose latency is returned, and StopTransaction."""
        transaction, latency_s = await self._begin(station, id_tag)
        await self._call(station, stop_transaction(self._next(station), transaction))
        return latency_s

    async def _begin(self, station: Station, id_tag: str) -> tuple[int, float]:
        latency_s = await self._call(station, start_transaction(self._next(station), id_tag))
        return int(orjson.loads(station.answer)[2]["transactionId"]), latency_s

    async def _call(self, station: Station, frame: bytes) -> float:
        answered: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        station.on_answer = lambda _, latency_s: answered.set_result(latency_s)
        station.call(frame)
        return await asyncio.wait_for(answered, _LAST_ANSWERS_S)

    def _next(self, station: Station) -> int:
        station.number = next(self._numbers)
        return station.number

    def _send(self, station: Station, at: float | None = None) -> None:
        station.call(self._meters[station].frame(self._next(station)), at)

    async def _send_all(self) -> None:
        for station in self._stations:
            self._send(station)

    async def _send_paced(self, held_up: dict[Station, deque[float]], rate: float, seconds: float) -> None:
        due = began = time.perf_counter()
        turns = itertools.cycle(self._stations)
        while due < began + seconds:
            while due < time.perf_counter():
                station = next(turns)
                if station.waits or held_up[station]:
                    held_up[station].append(due)
                else:
                    self._send(station, due)
                due += self._random.expovariate(rate)
            await asyncio.sleep(_TICK_S)

    async def _measured(self, answered: Any, latencies: list[float], sending: Any, seconds: float) -> Result:
        """Let the stations send for so long, wait for the last answers, and say how it went."""
        for station in self._stations:
            station.on_answer = answered
            station.strays = 0
        began, cpu_s = time.perf_counter(), time.process_time()
        await sending
        await asyncio.sleep(max(0.0, began + seconds - time.perf_counter()))
        until = time.perf_counter() + _LAST_ANSWERS_S
        while any(station.waits for station in self._stations) and time.perf_counter() < until:  # noqa: ASYNC110 -- the last of many
            await asyncio.sleep(_TICK_S)
        return _summary(latencies, time.perf_counter() - began, time.process_time() - cpu_s) | self._failed()

    def _failed(self) -> Result:
        waiting, strays = (sum(getattr(each, name) for each in self._stations) for name in ("waits", "strays"))
        return {"unanswered": waiting, "refused": strays}


def _summary(latencies: list[float], seconds: float, cpu_s: float) -> Result:
    return {
        "count": len(latencies),
        "seconds": seconds,
        "p50_ms": percentile(latencies, 50) * 1000,
        "p99_ms": percentile(latencies, 99) * 1000,
        "load_cpu_s": cpu_s,
    }


async def _open(port: int, name: str, password: str, *, echoed: bool = False) -> Station:
    request = frames.upgrade(f"/ocpp/{name}", _SUBPROTOCOL, name if password else "", password)
    loop = asyncio.get_running_loop()
    _, station = await loop.create_connection(lambda: Station(request, echoed=echoed), "127.0.0.1", port)
    await asyncio.wait_for(station.opened, _LAST_ANSWERS_S)
    return station


def _chunks(names: list[str], size: int) -> list[list[str]]:
    return [names[at : at + size] for at in range(0, len(names), size)]


async def serve(load: Load) -> None:
    """Do what the lines on standard input ask, until it ends."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print("ready", flush=True)
    while line := await reader.readline():
        asked = orjson.loads(line)
        result = await getattr(load, asked.pop("do"))(**asked)
        os.write(sys.stdout.fileno(), orjson.dumps(result) + b"\n")


if __name__ == "__main__":
    running.run(serve(Load()))
