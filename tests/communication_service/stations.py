"""Stations as clients: a polite one on aiohttp's client, and a raw socket that sends what that one would not."""

import asyncio
import base64
import itertools
import os
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
import orjson

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


@dataclass
class Station:
    """Speaks OCPP-J over a socket that behaves."""

    socket: aiohttp.ClientWebSocketResponse
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def send(self, message: Any) -> None:
        """Send text as it is, anything else as JSON."""
        await self.socket.send_str(message if isinstance(message, str) else orjson.dumps(message).decode())

    async def receive(self, within_s: float = 5.0) -> Any:
        """The next message."""
        message = await self.socket.receive(within_s)
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return orjson.loads(message.data)

    async def call(self, action: str, payload: Any = None, message_id: Any = None) -> Any:
        """CALL, and return the next message."""
        identity = f"c{next(self._ids)}" if message_id is None else message_id
        await self.send([2, identity, action, {} if payload is None else payload])
        return await self.receive()

    async def silent(self) -> None:
        """Assert that nothing is on its way to us and the connection lives: the next message answers a Heartbeat."""
        identity = f"alive{next(self._ids)}"
        answer = await self.call("Heartbeat", {}, identity)
        assert answer[:2] == [3, identity], answer

    async def answer(self, payload: Any = None) -> Any:
        """Take the next CALL, answer it, and return it."""
        call = await self.receive()
        assert call[0] == 2, call
        await self.send([3, call[1], {"status": "Accepted"} if payload is None else payload])
        return call

    async def closed(self, within_s: float = 5.0) -> int | None:
        """Wait for the end of the connection, whatever comes before it; returns the close code."""
        async with asyncio.timeout(within_s):
            async for _ in self.socket:
                pass
        return self.socket.close_code


@dataclass
class RawSocket:
    """HTTP and WebSocket frames by hand."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    @asynccontextmanager
    async def dialled(cls, port: int) -> AsyncIterator[Self]:
        """A TCP connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**21)
        try:
            yield cls(reader, writer)
        finally:
            writer.close()

    async def upgrade(self, path: str, *, protocol: str | None = "ocpp1.6", **more: str) -> tuple[int, dict[str, str]]:
        """Ask for the upgrade, below /ocpp/; returns the status and the headers, in lower case."""
        headers = {
            "Host": "127.0.0.1",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        } | {name.replace("_", "-"): value for name, value in more.items()}
        if protocol is not None:
            headers["Sec-WebSocket-Protocol"] = protocol
        lines = [f"GET /ocpp/{path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        self.writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        return await self.response()

    async def response(self) -> tuple[int, dict[str, str]]:
        """Read the head of an HTTP response."""
        async with asyncio.timeout(5):
            status, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines if line)
        return int(status.split()[1]), headers

    def send(self, payload: str | bytes, opcode: int = TEXT, *, flags: int = 0x80, masked: bool = True) -> None:
        """Write a frame; `flags` are FIN (0x80) and the reserved bits."""
        body = payload.encode() if isinstance(payload, str) else payload
        mask = os.urandom(4) if masked else b""
        size = len(body)
        head = bytes([flags | opcode])
        bit = 0x80 if masked else 0
        if size < 126:
            head += bytes([bit | size])
        else:
            head += (
                bytes([bit | 126]) + struct.pack(">H", size)
                if size < 65536
                else bytes([bit | 127]) + struct.pack(">Q", size)
            )
        self.writer.write(head + mask + (_masked(body, mask) if masked else body))

    async def receive(self, within_s: float = 5.0) -> tuple[int, bytes]:
        """The next frame: its first byte (flags and opcode) and its payload."""
        async with asyncio.timeout(within_s):
            first, size = await self.reader.readexactly(2)
            if size == 126:
                [size] = struct.unpack(">H", await self.reader.readexactly(2))
            elif size == 127:
                [size] = struct.unpack(">Q", await self.reader.readexactly(8))
            return first, await self.reader.readexactly(size)

    async def closed(self, within_s: float = 5.0) -> int | None:
        """Wait for the close frame and return its code; None where the connection ends without one."""
        async with asyncio.timeout(within_s):
            try:
                while True:
                    first, payload = await self.receive(within_s)
                    if first & 0xF == CLOSE:
                        return int.from_bytes(payload[:2])
            except (asyncio.IncompleteReadError, ConnectionError):
                return None


def _masked(body: bytes, mask: bytes) -> bytes:
    repeated = mask * (len(body) // 4 + 1)
    return (int.from_bytes(body) ^ int.from_bytes(repeated[: len(body)])).to_bytes(len(body))
