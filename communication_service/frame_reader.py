"""From the bytes of a station to WebSocket messages: aiohttp's reader, strict on masks, bounded in what it inflates."""

import asyncio
import zlib
from collections.abc import Callable

from aiohttp import WebSocketError, WSCloseCode, WSMsgType
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader
from aiohttp.base_protocol import BaseProtocol

from communication_service.allowance import Allowance

LARGEST_WINDOW = 15
_TAIL = b"\x00\x00\xff\xff"  # what a sender leaves out of each message (RFC 7692 §7.2.1)
_FIRST_CONTROL_OPCODE = 8


class FrameReader(WebSocketReader):
    """Refuses frames without a mask (RFC 6455 §5.1), and inflates each message afresh, never beyond the limit.

    Whole messages are paid for by who reads them. The fragments of one are paid for here, for no reader sees them.
    """

    __slots__ = ("_allowance", "_deflated", "_held", "_kind", "_largest", "_on_lost", "_protocol", "_queued")

    def __init__(
        self,
        queue: WebSocketDataQueue,
        protocol: BaseProtocol,
        allowance: Allowance,
        largest: int,
        on_lost: Callable[[], None],
        *,
        deflate: bool,
    ) -> None:
        super().__init__(queue, largest, deflate, True)
        self._queued = queue
        self._protocol = protocol
        self._allowance = allowance
        self._on_lost = on_lost
        self._largest = largest
        self._deflated: bytearray | None = None
        self._kind = 0
        self._held: asyncio.TimerHandle | None = None

    @property
    def held(self) -> bool:
        """Whether nothing is read now, since there were too many fragments."""
        return self._held is not None

    def feed_eof(self) -> None:
        """What aiohttp calls when the connection is lost."""
        super().feed_eof()
        if self._held is not None:
            self._held.cancel()
        self._on_lost()

    def _handle_frame(self, fin: bool, opcode: int, payload: bytes | bytearray, compressed: int) -> None:
        if type(payload) is bytes:  # what was masked comes as a bytearray
            raise WebSocketError(WSCloseCode.PROTOCOL_ERROR, "frames of a client are masked")
        if not fin:
            self._pay()
        if not compressed or opcode >= _FIRST_CONTROL_OPCODE:
            super()._handle_frame(fin, opcode, payload, 0)
            return
        self._gather(opcode, payload)
        if fin:
            assert self._deflated is not None
            data, self._deflated = bytes(self._deflated), None
            super()._handle_frame(True, self._kind, self._inflated(data), 0)

    def _pay(self) -> None:
        self._allowance.spend(1)
        pause_s = self._allowance.pause_s()
        if pause_s and not self._protocol._reading_paused:  # noqa: SLF001 -- aiohttp has no other way to tell
            self._protocol.pause_reading()
        if pause_s and self._held is None:
            self._held = asyncio.get_running_loop().call_later(pause_s, self._go_on)

    def _go_on(self) -> None:
        pause_s = self._allowance.pause_s()
        if pause_s:
            self._held = asyncio.get_running_loop().call_later(pause_s, self._go_on)
            return
        self._held = None
        queue = self._queued
        if self._protocol._reading_paused and queue._size < queue._limit:  # noqa: SLF001 -- else the queue goes on itself
            self._protocol.resume_reading()

    def _gather(self, opcode: int, payload: bytes | bytearray) -> None:
        if (opcode == WSMsgType.CONTINUATION) == (self._deflated is None):
            raise WebSocketError(WSCloseCode.PROTOCOL_ERROR, "a message in the middle of another, or no message")
        if self._deflated is None:
            self._kind, self._deflated = opcode, bytearray()
        self._deflated += payload
        if len(self._deflated) > self._largest:
            raise WebSocketError(WSCloseCode.MESSAGE_TOO_BIG, "the message is too big")

    def _inflated(self, data: bytes) -> bytes:
        try:
            text = zlib.decompressobj(-LARGEST_WINDOW).decompress(data + _TAIL, self._largest + 1)
        except zlib.error as error:
            raise WebSocketError(WSCloseCode.PROTOCOL_ERROR, "the message cannot be inflated") from error
        if len(text) > self._largest:
            raise WebSocketError(WSCloseCode.MESSAGE_TOO_BIG, "the message is too big")
        return text
