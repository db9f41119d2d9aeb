"""The WebSocket of a station: aiohttp's, strict on masks, lean on compression, sure to end. RFC 6455, RFC 7692."""

import asyncio
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress

from aiohttp import WebSocketError, WSCloseCode, WSMsgType, hdrs, web
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader
from aiohttp.http import WebSocketWriter
from multidict import CIMultiDict

_QUEUED_BYTES = 32 * 1024  # read ahead of the session; at twice as much reading stops
_UNSENT_BYTES = 64 * 1024
_WORTH_COMPRESSING = 1024
_CLOSE_S = 5.0
_LARGEST_WINDOW = 15
_TAIL = b"\x00\x00\xff\xff"  # what a sender leaves out of each message (RFC 7692 §7.2.1)
_FIRST_CONTROL_OPCODE = 8


class StationSocket(web.WebSocketResponse):
    """Compresses only for a station that offers it, each message by itself: a window kept open costs 100 KiB."""

    def __init__(self, *, protocols: Iterable[str], largest: int) -> None:
        super().__init__(protocols=protocols, max_msg_size=largest, writer_limit=_UNSENT_BYTES)
        self._heard = True
        self._pinged = False
        self._window = 0
        self._dropping: asyncio.TimerHandle | None = None
        self._lost = False
        self._lingering: asyncio.Future[None] | None = None

    async def send_text(self, text: str) -> None:
        """Send a message. Raises ConnectionError once the connection is closing; waits for a station slow to read."""
        writer = self._writer
        assert writer is not None
        data = text.encode()
        deflate = self._window if len(data) >= _WORTH_COMPRESSING else 0
        await writer.send_frame(data, WSMsgType.TEXT, deflate or None)

    async def probe(self) -> None:
        """Ping a station that was silent since the last probe; drop one that was silent since its ping."""
        transport = self._req.transport if self._req is not None else None
        if self._heard or transport is None:
            self._heard = self._pinged = False
        elif self._pinged:
            transport.abort()
        else:
            self._pinged = True
            if transport.get_write_buffer_size() == 0:  # else it already has more to read than it does
                with suppress(ConnectionError):
                    await self.ping()

    async def end(self, code: int, reason: str) -> None:
        """Send a close frame. Who reads comes to the end once the station has closed its side, or is dropped."""
        if self._dropping is not None or self._req is None or self._req.transport is None or self._writer is None:
            return
        self._dropping = asyncio.get_running_loop().call_later(_CLOSE_S, self._req.transport.abort)
        with suppress(ConnectionError):
            await self._writer.close(code, reason)

    async def linger(self) -> None:
        """Keep the connection until the station is gone, for what it still sends would reset it, and what it was sent
        last be lost. Returns at once where the station closed, and in a few seconds in any case."""
        if self._dropping is not None and not self._closing and not self._lost:
            self._lingering = asyncio.get_running_loop().create_future()
            await asyncio.wait((self._lingering,), timeout=2 * _CLOSE_S)

    async def close(self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True) -> bool:  # noqa: ARG002 -- aiohttp's
        """What aiohttp calls when it has read a close frame, what is no frame, or the end."""
        if self._closed:
            return False
        if self._lost and not self._closing:
            self._close_code = WSCloseCode.ABNORMAL_CLOSURE
        await self.end(code, message.decode())
        self._set_closed()
        return True

    def _handshake(self, request: web.BaseRequest) -> tuple[CIMultiDict[str], str | None, int, bool]:
        headers, protocol, self._window, _ = super()._handshake(request)
        if self._window:
            headers[hdrs.SEC_WEBSOCKET_EXTENSIONS] = _extension(self._window)
        return headers, protocol, 0, True

    def _post_start(self, request: web.BaseRequest, protocol: str | None, writer: WebSocketWriter) -> None:
        self._ws_protocol, self._writer = protocol, writer
        self._reader = WebSocketDataQueue(request._protocol, _QUEUED_BYTES, loop=asyncio.get_running_loop())  # noqa: SLF001 -- aiohttp has no other way in
        self._parser = _Frames(self._reader, self._max_msg_size, self._connection_lost, deflate=bool(self._window))
        request.protocol.set_parser(self._parser, data_received_cb=self._note_data)
        request.protocol.keep_alive(False)

    def _note_data(self) -> None:
        self._heard = True

    def _connection_lost(self) -> None:
        self._lost = True
        if self._dropping is not None:
            self._dropping.cancel()
        if self._lingering is not None and not self._lingering.done():
            self._lingering.set_result(None)


def _extension(window: int) -> str:
    limit = "" if window == _LARGEST_WINDOW else f"; server_max_window_bits={window}"
    return f"permessage-deflate; server_no_context_takeover; client_no_context_takeover{limit}"


class _Frames(WebSocketReader):
    """Refuses frames without a mask (RFC 6455 §5.1), and inflates each message afresh, never beyond the limit."""

    __slots__ = ("_deflated", "_kind", "_largest", "_on_lost")

    def __init__(self, queue: WebSocketDataQueue, largest: int, on_lost: Callable[[], None], *, deflate: bool) -> None:
        super().__init__(queue, largest, deflate, True)
        self._on_lost = on_lost
        self._largest = largest
        self._deflated: bytearray | None = None
        self._kind = 0

    def feed_eof(self) -> None:
        """What aiohttp calls when the connection is lost."""
        super().feed_eof()
        self._on_lost()

    def _handle_frame(self, fin: bool, opcode: int, payload: bytes | bytearray, compressed: int) -> None:
        if type(payload) is bytes:  # what was masked comes as a bytearray
            raise WebSocketError(WSCloseCode.PROTOCOL_ERROR, "frames of a client are masked")
        if not compressed or opcode >= _FIRST_CONTROL_OPCODE:
            super()._handle_frame(fin, opcode, payload, 0)
            return
        self._gather(opcode, payload)
        if fin:
            assert self._deflated is not None
            data, self._deflated = bytes(self._deflated), None
            super()._handle_frame(True, self._kind, self._inflated(data), 0)

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
            text = zlib.decompressobj(-_LARGEST_WINDOW).decompress(data + _TAIL, self._largest + 1)
        except zlib.error as error:
            raise WebSocketError(WSCloseCode.PROTOCOL_ERROR, "the message cannot be inflated") from error
        if len(text) > self._largest:
            raise WebSocketError(WSCloseCode.MESSAGE_TOO_BIG, "the message is too big")
        return text
