"""The WebSocket of a station: aiohttp's, lean, read no faster than allowed, sure to end. RFC 6455, RFC 7692."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from aiohttp import WSCloseCode, WSMsgType, hdrs, web
from aiohttp._websocket.reader import WebSocketDataQueue
from aiohttp.http import WebSocketWriter, WSMessageDecodeText
from multidict import CIMultiDict

from communication_service.allowance import COUNTS_TWICE_BYTES, Allowance
from communication_service.frame_reader import LARGEST_WINDOW, FrameReader
from communication_service.progress import Progress, bound_unsent

_QUEUED_BYTES = 32 * 1024  # read ahead of the session; at twice as much reading stops
_UNSENT_BYTES = 64 * 1024
_WORTH_COMPRESSING = 1024
_CLOSE_S = 5.0
_GLANCE_S = 0.02


class StationSocket(web.WebSocketResponse):
    """Compresses only for a station that offers it, each message by itself: a window kept open costs 100 KiB."""

    def __init__(self, *, protocols: Iterable[str], largest: int, per_s: float) -> None:
        super().__init__(protocols=protocols, max_msg_size=largest, writer_limit=_UNSENT_BYTES, autoping=False)
        self._allowance = Allowance(per_s)
        self._progress = Progress()
        self._heard = True
        self._pinged = False
        self._paused = False
        self._window = 0
        self._dropping: asyncio.TimerHandle | None = None
        self._lost = False
        self._frames: FrameReader | None = None
        self._until_lost: asyncio.Future[None] | None = None

    async def __anext__(self) -> WSMessageDecodeText:
        """The next message, as soon as the station may say one more. Pings are answered on the way."""
        while True:
            pause_s = self._allowance.pause_s()
            if pause_s is not None:
                await self._pause(pause_s)
            message = await super().__anext__()
            self._allowance.spend(1)
            if message.type is WSMsgType.TEXT:
                self._allowance.spend(len(message.data) // COUNTS_TWICE_BYTES)
                return message
            if message.type is WSMsgType.PING:
                with suppress(ConnectionError):
                    await self.pong(message.data)
            elif message.type is not WSMsgType.PONG:
                return message

    async def _pause(self, pause_s: float) -> None:
        self._paused = pause_s > 0
        await asyncio.sleep(pause_s)
        self._paused = False

    async def send_text(self, text: str) -> None:
        """Send a message. Raises ConnectionError once the connection is closing; waits for a station slow to read."""
        writer = self._writer
        assert writer is not None
        data = text.encode()
        deflate = self._window if len(data) >= _WORTH_COMPRESSING else 0
        await writer.send_frame(data, WSMsgType.TEXT, deflate or None)

    async def probe(self, *, listening: bool = True) -> None:
        """Ping a station that was silent since the last probe; drop one that was silent since its ping, or that took
        nothing of what waits for it in two probes. Where we are not `listening`, its silence tells nothing; but that
        nobody takes a ping does, and a loss shows in no other way while nothing is read."""
        transport = self._req.transport if self._req is not None else None
        if transport is None:
            return
        if self._progress.stuck(transport):
            transport.abort()
        elif not listening:
            self._heard = self._pinged = False
            await self._ping(transport)
        elif self._heard or self._paused or (self._frames and self._frames.held):
            self._heard = self._pinged = False
        elif self._pinged:
            transport.abort()
        else:
            self._pinged = True
            await self._ping(transport)

    async def _ping(self, transport: asyncio.Transport) -> None:
        if transport.get_write_buffer_size() == 0:  # else it already has more to read than it does
            with suppress(ConnectionError):
                await self.ping()

    async def answers(self, *, within_s: float) -> bool:
        """Ping the station, and wait for any sign of it."""
        deadline = asyncio.get_running_loop().time() + within_s
        self._heard = False
        with suppress(ConnectionError):
            await self.ping()
        while not self._heard and not self._lost and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 -- rare; an event would cost every connection
            await asyncio.sleep(_GLANCE_S)
        return self._heard and not self._lost

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
            self._until_lost = asyncio.get_running_loop().create_future()
            await asyncio.wait((self._until_lost,), timeout=2 * _CLOSE_S)

    async def unless_lost(self, until: "asyncio.Future[None]") -> None:
        """Wait until this is done; that the connection is lost makes it done."""
        if not self._lost:
            self._until_lost = until
            await until

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
        self._headers = CIMultiDict()  # they are sent, and what has read HTTP is done: kilobytes as long as it stays
        if request.protocol._upgraded:  # noqa: SLF001 -- not so while a body of the request is still to come
            request.protocol._parser = None  # noqa: SLF001 -- aiohttp does so too, at the end of a connection
        self._reader = WebSocketDataQueue(request._protocol, _QUEUED_BYTES, loop=asyncio.get_running_loop())  # noqa: SLF001 -- aiohttp has no other way in
        self._parser = self._frames = FrameReader(
            self._reader,
            request.protocol,
            self._allowance,
            self._max_msg_size,
            self._connection_lost,
            deflate=bool(self._window),
        )
        if request.transport is not None:
            bound_unsent(request.transport)
        request.protocol.set_parser(self._parser, data_received_cb=self._note_data)
        request.protocol.keep_alive(False)

    def _note_data(self) -> None:
        self._heard = True

    def _connection_lost(self) -> None:
        self._lost = True
        if self._dropping is not None:
            self._dropping.cancel()
        if self._until_lost is not None and not self._until_lost.done():
            self._until_lost.set_result(None)


def _extension(window: int) -> str:
    limit = "" if window == LARGEST_WINDOW else f"; server_max_window_bits={window}"
    return f"permessage-deflate; server_no_context_takeover; client_no_context_takeover{limit}"
