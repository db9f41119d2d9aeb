"""The WebSocket of one station: dialling, reading, and the one call that may await its answer."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Callable
from urllib.parse import quote

import aiohttp

from simulator import frames
from simulator.outcome import LINK_LOST, OFFLINE, TIMEOUT, Answered, Outcome, Refused, Unanswered

MAX_FRAME_BYTES = 4 * 1024 * 1024


class DialFailed(Exception):
    """The central system could not be reached, or refused the handshake."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Link:
    """One socket at a time; everything that awaits an answer is released when it breaks."""

    def __init__(
        self,
        *,
        url: str,
        station_id: str,
        subprotocol: str | None,
        password: str | bytes | None,
        session: Callable[[], aiohttp.ClientSession],
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._url = f"{url.rstrip('/')}/{quote(station_id, safe='')}"
        self._subprotocol = subprotocol
        self._headers = _basic_auth(station_id, password)
        self._session = session
        self._ssl: ssl.SSLContext | bool = ssl_context or True
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._awaited: tuple[str, asyncio.Future[Outcome]] | None = None

    @property
    def online(self) -> bool:
        """Whether a socket is open."""
        return self._socket is not None and not self._socket.closed

    async def dial(self, timeout_s: float) -> None:
        """Open the socket, or raise DialFailed."""
        try:
            async with asyncio.timeout(timeout_s):
                socket = await self._session().ws_connect(
                    self._url,
                    protocols=(self._subprotocol,) if self._subprotocol else (),
                    headers=self._headers,
                    ssl=self._ssl,
                    max_msg_size=MAX_FRAME_BYTES,
                )
        except aiohttp.WSServerHandshakeError as error:
            raise DialFailed(f"refused: HTTP {error.status}") from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise DialFailed(f"unreachable: {type(error).__name__}") from error
        if socket.protocol != self._subprotocol:
            await socket.close(code=aiohttp.WSCloseCode.PROTOCOL_ERROR)
            raise DialFailed("no common subprotocol")
        self._socket = socket

    async def read(self) -> AsyncIterator[frames.Call]:
        """Yield the calls of the central system until the socket breaks; answers go to who awaits them."""
        if self._socket is None:
            return
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            frame = frames.parse(message.data)
            if isinstance(frame, frames.Call):
                yield frame
            elif frame is not None:
                self._deliver(frame)

    def _deliver(self, frame: frames.Result | frames.Error) -> None:
        """Hand an answer to the awaited call; an answer nobody awaits is ignored."""
        if self._awaited is None or self._awaited[0] != frame.message_id or self._awaited[1].done():
            return
        match frame:
            case frames.Result():
                self._awaited[1].set_result(Answered(frame.payload))
            case frames.Error():
                self._awaited[1].set_result(Refused(frame.code, frame.description))

    async def exchange(self, message_id: str, text: str, timeout_s: float) -> Outcome:
        """Send a call and await its answer for at most `timeout_s` real seconds."""
        if self._socket is None:
            return Unanswered(OFFLINE)
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._awaited = (message_id, answer)
        try:
            async with asyncio.timeout(timeout_s):
                await self._socket.send_str(text)
                return await answer
        except TimeoutError:
            return Unanswered(TIMEOUT)
        except (aiohttp.ClientError, ConnectionError):
            self.abort()
            await asyncio.sleep(0)  # who reads is to notice it: else the next call fails at once too, for ever
            return Unanswered(LINK_LOST)
        finally:
            self._awaited = None

    async def send(self, text: str) -> None:
        """Send a frame that awaits nothing; a broken socket swallows it."""
        if self._socket is None:
            return
        try:
            await self._socket.send_str(text)
        except (aiohttp.ClientError, ConnectionError):
            self.abort()

    def abort(self) -> None:
        """Drop the socket without a closing handshake, as a cut cable or a dead power supply does."""
        if self._socket is not None:
            connection = self._socket._response.connection  # noqa: SLF001 - aiohttp has no public way to abort
            if connection is not None and connection.transport is not None:
                connection.transport.abort()
        self.lost()

    async def close(self) -> None:
        """Close the socket politely."""
        if self._socket is not None:
            await self._socket.close(code=aiohttp.WSCloseCode.GOING_AWAY)
        self.lost()

    def lost(self) -> None:
        """Forget the socket, and release the call that awaits its answer."""
        self._socket = None
        if self._awaited is not None and not self._awaited[1].done():
            self._awaited[1].set_result(Unanswered(LINK_LOST))


def _basic_auth(station_id: str, password: str | bytes | None) -> dict[str, str]:
    """Return the header of security profile 1; a key given as bytes is sent as those bytes."""
    if password is None:
        return {}
    secret = password if isinstance(password, bytes) else password.encode()
    token = base64.b64encode(station_id.encode() + b":" + secret).decode()
    return {"Authorization": f"Basic {token}"}
