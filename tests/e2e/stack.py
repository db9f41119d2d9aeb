"""The real services as processes, on a database and a broker prefix of their own: what end-to-end tests act on."""

import asyncio
import atexit
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import aiohttp
import orjson

from tests.services.ports import free_port

ADMIN = ("admin@example.org", "correct-horse-battery-staple")
SHARDS = 2
_READY_S = 60.0
_STOP_S = 30.0
_HURRY_S = 1.0

_started: list[asyncio.subprocess.Process] = []
"""Those of a test that was cut short are ended with the run."""


@dataclass
class Service:
    """One process of ours; its log is kept for the failing test to show."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    ready_url: str
    process: asyncio.subprocess.Process | None = None
    program: str = "strum"
    """What `python -m` runs; a fault test puts a launcher of its own before the command line."""

    async def start(self, *, wait: bool = True) -> Self:
        """Start the process, and wait until it says that it is ready."""
        assert self.process is None or self.process.returncode is not None, "it runs, and would outlive the test"
        with self.log.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", self.program, *self.arguments, env=self.environment, stderr=output, stdout=output
            )
        _started.append(self.process)
        if wait:
            await self.ready()
        return self

    async def ready(self) -> None:
        """Wait until /readyz answers 200."""
        async with aiohttp.ClientSession() as session, asyncio.timeout(_READY_S):
            while True:
                if self.process is None or self.process.returncode is not None:
                    raise AssertionError(f"{self.arguments} ended:\n{self.log.read_text()[-4000:]}")
                try:
                    async with session.get(self.ready_url) as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def kill_at_work(self, waits: Callable[[], bool]) -> None:
        """Hold it until somebody waits for an answer, and end it then: a kill that is sure to hit something."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        async with asyncio.timeout(_STOP_S):
            while not waits():
                await asyncio.sleep(0.01)
        await self.kill()

    async def stop(self) -> int:
        """End it as an orchestrator would; returns the exit status."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(_STOP_S):
                await self.process.wait()
        assert self.process.returncode is not None
        return self.process.returncode

    async def end(self) -> bool:
        """See that it is gone, frozen or not, started or not: what a test leaves is ended so.

        False where it had to be killed.
        """
        if self.process is None or self.process.returncode is not None:
            return True
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGCONT)
            for patience_s in (_HURRY_S, _STOP_S):  # a second SIGTERM ends the wait for stations
                self.process.terminate()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.process.wait(), patience_s)
                    return True
        await self.kill()
        return False


@atexit.register
def _end_what_is_left() -> None:
    for process in _started:
        with suppress(ProcessLookupError, ChildProcessError):
            if process.returncode is None and os.waitpid(process.pid, os.WNOHANG) == (0, 0):  # a child of ours
                os.kill(process.pid, signal.SIGKILL)


@dataclass
class Stack:
    """Management and communication, and a client of the API."""

    directory: Path
    environment: dict[str, str]
    session: aiohttp.ClientSession
    ocpp_port: int
    api_port: int
    services: list[Service] = field(default_factory=list)
    token: str = ""

    @property
    def ocpp_url(self) -> str:
        """Where stations connect."""
        return f"ws://127.0.0.1:{self.ocpp_port}/ocpp"

    def management(self, *arguments: str, port: int | None = None, name: str = "management") -> Service:
        """A management service; not started."""
        chosen = port or self.api_port
        environment = self.environment | {"STRUM_PORT": str(chosen)}
        return self._service(("management", *arguments), environment, name, f"http://127.0.0.1:{chosen}/readyz")

    def communication(self, *arguments: str, port: int | None = None, name: str = "communication") -> Service:
        """A communication service; not started."""
        health = free_port()
        environment = self.environment | {
            "STRUM_OCPP_PORT": str(port or self.ocpp_port),
            "STRUM_HEALTH_PORT": str(health),
        }
        return self._service(("communication", *arguments), environment, name, f"http://127.0.0.1:{health}/readyz")

    def _service(self, arguments: tuple[str, ...], environment: Mapping[str, str], name: str, url: str) -> Service:
        service = Service(arguments, environment, self.directory / f"{name}.log", url)
        self.services.append(service)
        return service

    async def sign_in(self) -> None:
        """Become the administrator, also once more: an access token holds for ten minutes."""
        email, password = ADMIN
        self.token = ""
        status, body = await self.api("POST", "/sessions", json={"email": email, "password": password})
        assert status in {200, 201}, body
        self.token = body["access_token"]

    async def api(
        self, method: str, path: str, *, json: Any = None, port: int | None = None, **query: Any
    ) -> tuple[int, Any]:
        """Call the API: the status and the decoded body."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        parameters = {name: str(value) for name, value in query.items()}
        url = f"http://127.0.0.1:{port or self.api_port}/api/v1{path}"
        async with self.session.request(method, url, json=json, params=parameters, headers=headers) as response:
            body = await response.read()
            return response.status, orjson.loads(body) if body else None

    async def get(self, path: str, **query: Any) -> Any:
        """Read something that must be there."""
        status, body = await self.api("GET", path, **query)
        assert status == 200, (path, status, body)
        return body

    async def pages(self, path: str, **query: Any) -> list[Any]:
        """All items of a list."""
        items: list[Any] = []
        page = await self.get(path, limit=500, **query)
        items += page["items"]
        while page.get("next_cursor"):
            page = await self.get(path, limit=500, cursor=page["next_cursor"], **query)
            items += page["items"]
        return items

    async def eventually(
        self, path: str, condition: Any, *, within_s: float = 15.0, port: int | None = None, **query: Any
    ) -> Any:
        """Read until the body meets the condition; returns it."""
        last: Any = None
        try:
            async with asyncio.timeout(within_s):
                while True:
                    status, last = await self.api("GET", path, port=port, **query)
                    if status == 200 and condition(last):
                        return last
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{path} did not come to it within {within_s} s: {last}") from None

    async def add_id_token(self, value: str, **fields: Any) -> None:
        """Let this token charge."""
        status, body = await self.api("POST", "/id-tokens", json={"value": value, "type": "ISO14443", **fields})
        assert status == 201, body


@asynccontextmanager
async def stack(database: str, amqp_url: str, prefix: str, directory: Path, **settings: str) -> AsyncIterator[Stack]:
    """Prepare; nothing is started yet. `settings` are environment variables without STRUM_, in lower case."""
    email, password = ADMIN
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STRUM_")} | {
        "STRUM_DATABASE_URL": database,
        "STRUM_AMQP_URL": amqp_url,
        "STRUM_AMQP_PREFIX": prefix,
        "STRUM_SHARDS": str(SHARDS),
        "STRUM_ADMIN_EMAIL": email,
        "STRUM_ADMIN_PASSWORD": password,
        "STRUM_CHARGE_POINTS__UNKNOWN_STATIONS": "accept",
        **{f"STRUM_{name.upper()}": value for name, value in settings.items()},
    }
    async with aiohttp.ClientSession() as session:
        running = Stack(directory, environment, session, free_port(), free_port())
        try:
            yield running
        finally:
            stuck = [service.arguments for service in reversed(running.services) if not await service.end()]
            assert not stuck, f"told twice to end, and had to be killed: {stuck}"


@asynccontextmanager
async def started(database: str, amqp_url: str, prefix: str, directory: Path, **settings: str) -> AsyncIterator[Stack]:
    """One management and one communication service, the administrator signed in."""
    async with stack(database, amqp_url, prefix, directory, **settings) as running:
        await running.management().start()
        await running.communication().start()
        await running.sign_in()
        yield running
