"""One connection of one station: reading never waits for answering, answers keep the order of the CALLs."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, tzinfo

import structlog
from aiohttp import WSCloseCode, WSMsgType

from communication_service.admission import Proof
from communication_service.calls import Calls
from communication_service.dialects import Dialect
from communication_service.holds import Holds
from communication_service.inbound import Inbound
from communication_service.late import LateAnswers
from communication_service.metrics import DEFECTS, DEVIATIONS, STRAY_ANSWERS
from communication_service.ocpp.frames import Call, CallError, CallResult, CallResultError, Malformed, Send, parse
from communication_service.ocpp.route import Context
from communication_service.outbound import execute
from communication_service.recorder import Recorder
from communication_service.settings import CommunicationSettings
from communication_service.standing import Standing
from communication_service.strikes import struck_out
from communication_service.websocket import StationSocket
from shared_contracts.bus import StationOffline
from shared_contracts.commands import CommandOutcome, ExecuteCommand
from shared_contracts.logs import traced
from shared_contracts.message import Envelope

log = structlog.get_logger()

_WAITING_BYTES = 256 * 1024
_ANSWERS = frozenset({3, 4})
_ASKED_ANEW = frozenset({"Authorize", "BootNotification", "Heartbeat"})  # answers change, and no fact is left


class Session:
    """Reads frames until the socket ends. Costs one task when idle; a second one lives while CALLs are answered."""

    __slots__ = (
        "_answering",
        "_calls",
        "_holds",
        "_inbound",
        "_last",
        "_late",
        "_recorder",
        "_room",
        "_settings",
        "_strikes",
        "_waiting",
        "_waiting_bytes",
        "_zone",
        "announced",
        "closed_with",
        "connected_at",
        "dialect",
        "epoch",
        "proof",
        "remote_address",
        "socket",
        "standing",
        "station_id",
    )

    def __init__(
        self,
        station_id: str,
        socket: StationSocket,
        dialect: Dialect,
        inbound: Inbound,
        recorder: Recorder,
        late: LateAnswers,
        holds: Holds,
        settings: CommunicationSettings,
        *,
        epoch: int,
        proof: Proof,
        remote_address: str | None,
        zone: tzinfo = UTC,
    ) -> None:
        self.station_id = station_id
        self.socket = socket
        self.dialect = dialect
        self.epoch = epoch
        self.proof = proof
        self.remote_address = remote_address
        self._zone = zone
        self.standing = Standing(proof.registration)
        self.closed_with: tuple[int, str] | None = None
        self.connected_at = datetime.now(UTC)
        self.announced = False
        self._inbound = inbound
        self._recorder = recorder
        self._late = late
        self._holds = holds
        self._settings = settings
        self._calls = Calls(self._send, epoch)
        self._waiting: list[tuple[Call | Send, str, datetime]] = []  # a deque takes 600 bytes
        self._waiting_bytes = 0
        self._answering: asyncio.Task[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._last: tuple[int, str] | None = None
        self._strikes: list[float] = []

    async def run(self) -> None:
        """Read until the connection ends."""
        try:
            with suppress(ConnectionError):
                async for message in self.socket:
                    if self.closed_with is not None:
                        continue
                    if message.type is WSMsgType.TEXT:
                        await self._take(message.data)
                    elif message.type is WSMsgType.BINARY:
                        await self.close(WSCloseCode.UNSUPPORTED_DATA, "text messages only")
        finally:
            self._calls.abandon()

    async def settle(self) -> None:
        """Finish what was taken before the connection ended: nobody gets an answer, but it is not thrown away."""
        if self._answering is not None:
            await asyncio.wait((self._answering,), timeout=self._settings.request_timeout_s)
        self._waiting.clear()

    async def execute(self, envelope: Envelope) -> bytes:
        """Carry out a command: what the pod attaches to the bus for this station.

        Raises StationOffline when the connection is about to be closed: another pod may have the station by now.
        """
        if self._calls.closing:
            raise StationOffline(self.station_id)
        message = envelope.read(ExecuteCommand)
        with traced(envelope.trace, station=self.station_id):
            answered = await execute(
                message, self._calls, self.dialect, self._late, timeout_s=self._settings.call_timeout_s
            )
        if answered.outcome is CommandOutcome.ACCEPTED:
            self.standing.note(message.command)
        return answered.model_dump_json(exclude_defaults=True).encode()

    async def probe(self) -> None:
        """Look whether the station is there. Its silence tells nothing while it is we who do not read."""
        await self.socket.probe(listening=self._room is None)

    def fence(self, code: int, reason: str) -> None:
        """Take no more messages, begin no CALL; the connection stays open until it is closed, with this code."""
        self.begin_nothing()
        if self.closed_with is None and not self.socket.closed:
            self.closed_with = code, reason

    async def close(self, code: int, reason: str) -> None:
        """Take no more messages, and close; the reading loop ends when the station has closed its side, or is gone."""
        self.fence(code, reason)
        await self.socket.end(code, reason)

    def begin_nothing(self) -> None:
        """Send no further CALL: the station is about to be on another connection."""
        self._calls.closing = True

    async def finished(self, *, within_s: float) -> None:
        """Wait until the CALLs of both sides that are under way are answered, but not for longer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._calls.idle()
                if self._answering is not None:
                    await asyncio.wait((self._answering,))

    async def _take(self, text: str) -> None:
        at = datetime.now(UTC)
        self._recorder.frame(self.station_id, "in", at, text)
        match frame := parse(text, self.dialect.version, strict=self._settings.strict_schemas):
            case Call() | Send():
                await self._enqueue(frame, text, at)
            case CallResult() | CallError():
                if not self._calls.resolve(frame) and not self._late.take(self.station_id, frame):
                    STRAY_ANSWERS.inc()
            case CallResultError():
                log.info("result_refused", station=self.station_id, code=frame.code[:64])
            case Malformed():
                await self._take_malformed(frame)

    async def _enqueue(self, frame: Call | Send, text: str, at: datetime) -> None:
        self._waiting.append((frame, text, at))
        self._waiting_bytes += len(text)
        if self._answering is None:
            self._answering = asyncio.create_task(self._answer_waiting())
            return
        DEVIATIONS.labels(self.dialect.version, "call_before_answer").inc()
        if len(self._waiting) > self._settings.waiting_calls or self._waiting_bytes > _WAITING_BYTES:
            self._room = asyncio.get_running_loop().create_future()
            await self.socket.unless_lost(self._room)  # not reading is the only push-back that costs a station nothing

    async def _answer_waiting(self) -> None:
        try:
            while self._waiting:
                frame, text, at = self._waiting.pop(0)
                self._waiting_bytes -= len(text)
                if self._room is not None and self._has_room():
                    self._make_room()
                answer = await self._answer(frame, text, at)
                if answer is not None:
                    with suppress(ConnectionError):
                        await self._send(answer)
        finally:
            self._answering = None
            self._make_room()

    def _has_room(self) -> bool:
        half = self._settings.waiting_calls // 2
        return len(self._waiting) <= half and self._waiting_bytes <= _WAITING_BYTES // 2

    def _make_room(self) -> None:
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    async def _answer(self, frame: Call | Send, text: str, at: datetime) -> str | None:
        """A CALL repeated word for word gets the result it got; any other with the same id is a new one."""
        fingerprint = hash(text)
        if self._last is not None and self._last[0] == fingerprint:
            return self._last[1]
        context = Context(self.station_id, self.dialect.version, at, self._zone)
        answer = await self._inbound.answer(frame, context, self.standing)
        if answer is not None and answer.startswith("[3") and frame.action not in _ASKED_ANEW:
            self._last = fingerprint, answer
        else:
            self._last = None
        return answer

    async def _take_malformed(self, frame: Malformed) -> None:
        DEFECTS.labels(frame.defect).inc()
        if frame.message_type in _ANSWERS and frame.message_id is not None:
            self._calls.resolve(CallError(frame.message_id, "InvalidResponse", "the answer is no valid frame", {}))
        if frame.answer is not None:
            with suppress(ConnectionError):
                await self._send(frame.answer)
        if frame.strike and struck_out(self._strikes, self._settings.strikes_per_minute):
            log.warning("too_many_broken_messages", station=self.station_id)
            self._holds.begin(self.station_id)  # first: it may be here again before the close is over
            await self.close(WSCloseCode.POLICY_VIOLATION, "too many broken messages")

    async def _send(self, text: str) -> None:
        self._recorder.frame(self.station_id, "out", datetime.now(UTC), text)
        await self.socket.send_text(text)
