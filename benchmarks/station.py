"""A charging station reduced to what a load generator needs: one CALL at a time, commands answered at once."""

import asyncio
import time
from collections.abc import Callable
from typing import cast

from benchmarks import frames
from benchmarks.messages import call_id

_UPGRADED = b"HTTP/1.1 101 "
_TEXT, _CLOSE, _PING = 1, 8, 9
_CALL, _CALLRESULT = b"[2,", b"[3,"


class Refused(Exception):
    """The server answered the upgrade with something else than 101."""


class Station(asyncio.Protocol):
    """One connection. `on_answer` hears of each CALLRESULT and its latency in seconds.

    `echoed` is for a server that echoes: a CALL of its own that comes back is the answer then.
    """

    __slots__ = (
        "_buffer", "_expected", "_request", "_sent_at", "_transport", "_upgraded",
        "answer", "closed", "echoed", "number", "on_answer", "opened", "strays",
    )  # fmt: skip

    def __init__(self, request: bytes, *, echoed: bool = False) -> None:
        self.on_answer: Callable[[Station, float], None] = _ignore
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.echoed = echoed
        self.number = 0
        self.strays = 0
        self.answer = b""
        self._request = request
        self._upgraded = False
        self._buffer = b""
        self._expected = b""
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None

    @property
    def waits(self) -> bool:
        """Whether a CALL is outstanding."""
        return bool(self._expected)

    def call(self, frame: bytes, at: float | None = None) -> None:
        """Send the CALL with the present `number`; its latency counts from `at` (time.perf_counter), by default now."""
        assert self._transport is not None
        self._expected = (_CALL if self.echoed else _CALLRESULT) + b'"' + call_id(self.number)
        self._sent_at = time.perf_counter() if at is None else at
        self._transport.write(frame)

    def close(self) -> None:
        """Say goodbye; `closed` is done when the server has hung up."""
        if self._transport is not None:
            self._transport.write(frames.close())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def connection_lost(self, _: Exception | None) -> None:
        """Whoever waits for the server waits no longer."""
        if not self.opened.done():
            self.opened.set_exception(Refused("the connection was closed"))
        if not self.closed.done():
            self.closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Take whatever part of the stream came."""
        data = self._buffer + data if self._buffer else data
        at = 0 if self._upgraded else self._take_response(data)
        while self._upgraded and (found := frames.server_frame(data, at)) is not None:
            opcode, begins, at = found
            self._take(opcode, data[begins:at])
        self._buffer = data[at:]

    def _take_response(self, data: bytes) -> int:
        """Read the answer to the upgrade once it is whole; returns where the frames begin."""
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return 0
        self._upgraded = data.startswith(_UPGRADED)
        if self._upgraded:
            self.opened.set_result(None)
        elif not self.opened.done():
            self.opened.set_exception(Refused(data[:80].decode(errors="replace")))
        return end + 4

    def _take(self, opcode: int, payload: bytes) -> None:
        assert self._transport is not None
        if opcode == _TEXT:
            self._take_text(payload)
        elif opcode == _PING:
            self._transport.write(frames.pong(payload))
        elif opcode == _CLOSE:
            self._transport.close()

    def _take_text(self, payload: bytes) -> None:
        if self._expected and payload.startswith(self._expected):
            self._expected = b""
            self.answer = payload
            self.on_answer(self, time.perf_counter() - self._sent_at)
        elif payload.startswith(_CALL):
            self._obey(payload)
        else:
            self.strays += 1

    def _obey(self, call: bytes) -> None:
        assert self._transport is not None
        message_id = call.split(b'"', 2)[1]
        self._transport.write(frames.text(b'[3,"%b",{"status":"Accepted"}]' % message_id))


def _ignore(_: Station, __: float) -> None:
    """Nobody listens yet."""
