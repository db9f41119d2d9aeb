"""A tiny central system: it records what stations say, answers with valid payloads, and checks every frame."""

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import jsonschema_rs
import ocpp
from aiohttp import WSMsgType, web

NOW = "2024-05-01T12:00:00Z"
FOLDERS = {"ocpp1.6": "v16", "ocpp2.0.1": "v201", "ocpp2.1": "v21"}
Payload = dict[str, Any]


@cache
def validator(subprotocol: str, name: str) -> Any:
    """The official schema of a request (`Reset`) or an answer (`ResetResponse`)."""
    folder = FOLDERS[subprotocol]
    suffix = "" if folder == "v16" or name.endswith("Response") else "Request"
    path = Path(ocpp.__file__).parent / folder / "schemas" / f"{name}{suffix}.json"
    schema = json.loads(path.read_text(encoding="utf-8-sig"))
    return jsonschema_rs.validator_for({k: v for k, v in schema.items() if k not in {"$id", "id"}})


async def eventually(condition: Callable[[], bool], timeout: float = 10.0) -> None:
    """Wait until something that tells nobody has come true."""
    async with asyncio.timeout(timeout):
        while not condition():
            await asyncio.sleep(0.005)


@dataclass
class Seen:
    """A CALL of a station."""

    station_id: str
    message_id: str
    action: str
    payload: Payload


@dataclass
class Socket:
    """One connection of a station, and the commands that await its answers."""

    station_id: str
    ws: web.WebSocketResponse
    waiting: dict[str, asyncio.Future[list[Any]]] = field(default_factory=dict)


class Refuse(Exception):
    """Raised by an answer: send a CALLERROR."""


class Csms:
    """`answers` overrides the answer to an action; `silent` holds actions that get none."""

    def __init__(self, password: str | None = None) -> None:
        self.password = password
        self.seen: list[Seen] = []
        self.texts: list[str] = []
        self.invalid: list[str] = []
        self.strays: list[list[Any]] = []
        self.silent: set[str] = set()
        self.answers: dict[str, Callable[[Seen], Payload]] = {}
        self.sockets: dict[str, Socket] = {}
        self.headers: list[dict[str, str]] = []
        self.connections = 0
        self.refuses_upgrade = False
        self.protocols = tuple(FOLDERS)
        self._numbers = count(1)
        self._changed = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> "Csms":
        app = web.Application()
        app.router.add_get("/ocpp/{station}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]
        self.url = f"ws://127.0.0.1:{port}/ocpp"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        station_id = request.match_info["station"]
        if self.refuses_upgrade:
            return web.Response(status=503)
        if self.password is not None:
            token = base64.b64encode(f"{station_id}:{self.password}".encode()).decode()
            if request.headers.get("Authorization") != f"Basic {token}":
                return web.Response(status=401)
        ws = web.WebSocketResponse(protocols=self.protocols)
        await ws.prepare(request)
        self.headers.append(dict(request.headers))
        self.connections += 1
        socket = self.sockets[station_id] = Socket(station_id, ws)
        self._note()
        async for message in ws:
            if message.type is WSMsgType.TEXT:
                await self._receive(socket, message.data)
        if self.sockets[station_id] is socket:
            del self.sockets[station_id]
        self._note()
        return ws

    async def _receive(self, socket: Socket, text: str) -> None:
        self.texts.append(text)
        try:
            frame = json.loads(text)
        except ValueError:
            self.invalid.append(text)
            return self._note()
        if frame[0] != 2:
            future = socket.waiting.pop(frame[1], None)
            self.strays.append(frame) if future is None else future.set_result(frame)
            return self._note()
        seen = Seen(socket.station_id, *frame[1:])
        self._check(socket, seen.action, seen.payload)
        self.seen.append(seen)
        if seen.action not in self.silent:
            await socket.ws.send_str(json.dumps(self._answer(socket, seen)))
        return self._note()

    def _answer(self, socket: Socket, seen: Seen) -> list[Any]:
        try:
            payload = self.answers.get(seen.action, self._usual)(seen)
        except Refuse:
            return [4, seen.message_id, "InternalError", "refused by the test", {}]
        assert validator(self.protocol(socket), f"{seen.action}Response").is_valid(payload), payload
        return [3, seen.message_id, payload]

    def _usual(self, seen: Seen) -> Payload:
        match seen.action:
            case "BootNotification":
                return {"status": "Accepted", "currentTime": NOW, "interval": 300}
            case "Heartbeat":
                return {"currentTime": NOW}
            case "Authorize" if "idTag" in seen.payload:
                return {"idTagInfo": {"status": "Accepted"}}
            case "Authorize":
                return {"idTokenInfo": {"status": "Accepted"}}
            case "StartTransaction":
                return {"transactionId": next(self._numbers), "idTagInfo": {"status": "Accepted"}}
            case "TransactionEvent" if "idToken" in seen.payload:
                return {"idTokenInfo": {"status": "Accepted"}}
            case "DataTransfer" | "SignCertificate":
                return {"status": "Accepted"}
        return {}

    def protocol(self, socket: Socket) -> str:
        return socket.ws.ws_protocol or "ocpp1.6"

    def _check(self, socket: Socket, name: str, payload: Payload) -> None:
        errors = [e.message for e in validator(self.protocol(socket), name).iter_errors(payload)]
        if errors:
            self.invalid.append(f"{name}: {errors} in {payload}")

    def _note(self) -> None:
        self._changed.set()

    async def until(self, condition: Callable[[], bool], timeout: float = 10.0) -> None:
        """Wait until something the central system can see has come true."""
        async with asyncio.timeout(timeout):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def command(self, station_id: str, action: str, payload: Payload, *, check: bool = True) -> Any:
        """Send a command; return the payload of its CALLRESULT, or the code of its CALLERROR."""
        socket = self.sockets[station_id]
        if check:
            assert validator(self.protocol(socket), action).is_valid(payload), payload
        message_id = f"cmd-{next(self._numbers)}"
        future: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        socket.waiting[message_id] = future
        await socket.ws.send_str(json.dumps([2, message_id, action, payload]))
        async with asyncio.timeout(5):
            frame = await future
        if frame[0] == 4:
            return frame[2]
        self._check(socket, f"{action}Response", frame[2])
        return frame[2]

    def actions(self, station_id: str | None = None) -> list[str]:
        """The actions in the order they came."""
        return [s.action for s in self.seen if station_id in {None, s.station_id}]

    def payloads(self, action: str) -> list[Payload]:
        """The payloads of an action in the order they came."""
        return [s.payload for s in self.seen if s.action == action]
