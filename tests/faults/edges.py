"""Edge processes with a broker line of their own, a balancer before them, and bare stations that count."""

import asyncio
import itertools
import os
import re
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import aiohttp
import orjson
from yarl import URL

from simulator.station import new_session
from tests.e2e.stack import Service
from tests.faults.ground import Ground
from tests.faults.proxy import FaultProxy
from tests.services.ports import free_port

_LOOPBACK = "127.0.0.1"


@dataclass
class Pod:
    """One communication service, its health port read as an orchestrator and a scraper do."""

    service: Service
    session: aiohttp.ClientSession
    port: int
    proxy: FaultProxy | None = None

    @property
    def pid(self) -> int:
        """The process id."""
        assert self.service.process is not None
        return self.service.process.pid

    @property
    def url(self) -> str:
        """Where its stations connect."""
        return f"ws://{_LOOPBACK}:{self.port}/ocpp"

    async def ready(self) -> bool:
        """What /readyz says; a pod that does not answer is not ready."""
        with suppress(aiohttp.ClientError, TimeoutError):
            async with self.session.get(self.service.ready_url, timeout=aiohttp.ClientTimeout(2)) as response:
                return response.status == 200
        return False

    async def metric(self, name: str, labels: str = "") -> float:
        """The sum of a metric over the series whose labels contain the text."""
        url = self.service.ready_url.replace("/readyz", "/metrics")
        async with self.session.get(url, timeout=aiohttp.ClientTimeout(5)) as response:
            text = await response.text()
        lines = [line for line in text.splitlines() if re.match(rf"{name}(\{{| )", line) and labels in line]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    async def connections(self) -> float:
        """How many stations it holds."""
        return await self.metric("strum_ocpp_connections")

    def signal(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        os.kill(self.pid, number)

    @property
    def rss_mib(self) -> float:
        """The memory that it occupies."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The lines of its log with this event."""
        lines = [line for line in self.service.log.read_bytes().splitlines() if line.startswith(b"{")]
        return [entry for entry in map(orjson.loads, lines) if entry.get("event") == event]


@asynccontextmanager
async def pod(ground: Ground, name: str, *, apart: bool = False, **settings: Any) -> AsyncIterator[Pod]:
    """Start a communication service; `apart` gives its broker connections a proxy that nobody else goes through."""
    port, communication = free_port(), ground.strum.communication(name=name)
    changes = {f"STRUM_{key.upper()}": str(value) for key, value in settings.items()} | {"STRUM_OCPP_PORT": str(port)}
    proxy = await FaultProxy(ground.broker.port).__aenter__() if apart else None
    if proxy is not None:
        changes["STRUM_AMQP_URL"] = str(URL(ground.broker.url).with_port(proxy.port))
    service = replace(communication, environment=dict(communication.environment) | changes)
    ground.strum.services[-1] = service
    try:
        await service.start()
        yield Pod(service, ground.strum.session, port, proxy)
    finally:
        if proxy is not None:
            proxy.heal()
        await service.end()
        if proxy is not None:
            await proxy.__aexit__()


async def came(
    condition: Callable[[], Any], what: str, *, within_s: float, since: float | None = None, every_s: float = 0.1
) -> float:
    """Wait until an awaited condition holds; returns the seconds since `since`, or since the call."""
    began = time.monotonic()
    while not await condition():
        assert time.monotonic() - began < within_s, f"not within {within_s} s: {what}"
        await asyncio.sleep(every_s)
    return time.monotonic() - (since or began)


class Balancer:
    """Passes each new connection on to the next pod that is ready, as a Kubernetes Service does."""

    def __init__(self, pods: Sequence[Pod]) -> None:
        self.pods = list(pods)
        self.port = 0
        self._turn = itertools.count()
        self._ready: dict[int, bool] = {}
        self._watching: asyncio.Task[None] | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where stations connect."""
        return f"ws://{_LOOPBACK}:{self.port}/ocpp"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, _LOOPBACK, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        await self._look()
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        assert self._watching is not None
        self._server.close()
        self._watching.cancel()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.gather(self._watching, *self._serving, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            await self._look()

    async def _look(self) -> None:
        states = await asyncio.gather(*(each.ready() for each in self.pods))
        self._ready = {each.port: state for each, state in zip(self.pods, states, strict=False)}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        ready = [each.port for each in self.pods if self._ready.get(each.port)]
        try:
            if not ready:
                return writer.transport.abort()
            there, back = await asyncio.open_connection(_LOOPBACK, ready[next(self._turn) % len(ready)])
            self._writers |= {writer, back}
            await asyncio.gather(_pump(reader, back), _pump(there, writer))
            self._writers -= {writer, back}
        except OSError:
            writer.transport.abort()
        finally:
            self._serving.discard(task)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    writer.close()


@dataclass
class Bare:
    """Stations without a memory that send StatusNotification now and then: for latencies and close codes."""

    url: str
    session: aiohttp.ClientSession = field(default_factory=new_session)
    latencies_s: list[float] = field(default_factory=list)
    codes: Counter[int | None] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    sockets: dict[str, aiohttp.ClientWebSocketResponse] = field(default_factory=dict)
    silent: int = 0
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def connect(self, *names: str) -> None:
        """Open connections, and keep reading them."""
        for name in names:
            socket = await self.session.ws_connect(f"{self.url}/{name}", protocols=("ocpp1.6",))
            self.sockets[name] = socket

    def talk(self, every_s: float) -> None:
        """Let each say something every so often, for ever; the end of its connection is counted by its code."""
        self._tasks += [asyncio.create_task(self._talk(name, every_s)) for name in self.sockets]

    async def end(self) -> None:
        """Stop talking, and close."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(socket.close() for socket in self.sockets.values()), return_exceptions=True)
        await self.session.close()

    async def _talk(self, name: str, every_s: float) -> None:
        socket = self.sockets[name]
        with suppress(_Ended):
            for number in itertools.count():
                await self._read(socket, every_s * (0.5 + hash((name, number)) % 1000 / 1000))
                began = time.monotonic()
                payload = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
                with suppress(ConnectionError, aiohttp.ClientError):
                    await socket.send_str(orjson.dumps([2, f"{number}", "StatusNotification", payload]).decode())
                answer = await self._read(socket, 30)
                if answer is None:
                    self.silent += 1
                    continue
                self.latencies_s.append(time.monotonic() - began)
                self.answered[name] += orjson.loads(answer)[0] == 3

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, within_s: float) -> str | None:
        """The next message, or None after so long; pings are answered meanwhile. An end is counted by its code."""
        try:
            message = await socket.receive(timeout=within_s)
        except TimeoutError:
            return None
        except (ConnectionError, aiohttp.ClientError):
            self.codes[1006] += 1
            raise _Ended from None
        if message.type is aiohttp.WSMsgType.TEXT:
            return str(message.data)
        self.codes[message.data if message.type is aiohttp.WSMsgType.CLOSE else socket.close_code] += 1
        raise _Ended


class _Ended(Exception):
    """A connection is over."""


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share does not exceed."""
    assert values, "nothing was measured"
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
