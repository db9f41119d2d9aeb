"""A client that sends mutants and holds every answer against the specification."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

from communication_service.ocpp import actions
from communication_service.ocpp.errors import Fault, wire_code
from communication_service.ocpp.messages import LONGEST_ID
from communication_service.ocpp.schemas import Kind
from communication_service.ocpp.versions import Version
from tests.communication_service.ocpp import official
from tests.faults.mutator import Mutant, Mutator

_IN_A_ROW = 50
_ALIVE_S = 60.0


@dataclass
class Hostile:
    """One connection after another of a station that sends mutants; `wrong` is what should not have come back."""

    url: str
    version: Version
    seed: int
    sent: int = 0
    answers: int = 0
    errors: int = 0
    closed: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    _actions: dict[str, Mutant] = field(default_factory=dict)

    async def attack(self, session: aiohttp.ClientSession, mutants: int) -> None:
        """Send so many; after each few the connection must still answer a Heartbeat."""
        mutator = Mutator(self.version, self.seed)
        station_id = f"HOSTILE-{self.version}"
        while self.sent < mutants:
            async with session.ws_connect(
                f"{self.url}/{station_id}", protocols=(self.version.subprotocol,), max_msg_size=0
            ) as socket:
                try:
                    await self._converse(socket, mutator, mutants)
                except ConnectionError:
                    self.closed.append(socket.close_code or 0)

    async def _converse(self, socket: aiohttp.ClientWebSocketResponse, mutator: Mutator, mutants: int) -> None:
        await self._alive(socket, "boot", _boot(self.version))
        while self.sent < mutants:
            for _ in range(min(_IN_A_ROW, mutants - self.sent)):
                mutant = mutator.mutant()
                self._actions[mutant.message_id] = mutant
                await socket.send_str(mutant.text)
                self.sent += 1
            await self._alive(socket, f"alive-{self.sent}", ("Heartbeat", {}))
            self._actions.clear()

    async def _alive(self, socket: aiohttp.ClientWebSocketResponse, message_id: str, call: tuple[str, Any]) -> None:
        await socket.send_str(orjson.dumps([2, message_id, *call]).decode())
        async with asyncio.timeout(_ALIVE_S):
            while True:
                message = await socket.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    raise ConnectionError
                frame = orjson.loads(message.data)
                if frame[1] == message_id:
                    assert frame[0] == 3, frame
                    return
                self._judge(frame)

    def _judge(self, frame: Any) -> None:
        """Any answer is a frame of the version: CALLRESULT by its schema, or an error with a code of its list."""
        self.answers += 1
        match frame:
            case [3, str(message_id), dict(payload)]:
                mutant = self._actions.get(message_id)
                if mutant is not None and mutant.action in actions.KNOWN[self.version]:
                    broken = official.violations(self.version, mutant.action, payload, Kind.RESPONSE)
                    if broken and "frame action" not in mutant.mutations:
                        self.wrong.append(f"{frame}: {broken}")
            case [3, int() | float(), dict()] if self.version is Version.V16:
                pass  # a number for an id is sent back as it came
            case [4 | 5, _, str(code), str(description), dict()]:
                self.errors += 1
                if code not in _codes(self.version) or len(description) > 255 or not _is_id(frame[1], self.version):
                    self.wrong.append(repr(frame)[:300])
                if code == "InternalError":
                    self.wrong.append(f"{self._actions.get(frame[1])}: {frame}"[:600])
            case _:
                self.wrong.append(repr(frame)[:300])


def _boot(version: Version) -> tuple[str, Any]:
    if version is Version.V16:
        return "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}
    return "BootNotification", {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}}


def _codes(version: Version) -> set[str]:
    return {wire_code(fault, version) for fault in Fault}


def _is_id(value: Any, version: Version) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST_ID
    return version is Version.V16 and isinstance(value, (int, float))
