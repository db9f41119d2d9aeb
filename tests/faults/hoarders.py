"""Hostile stations, admitted as others are, that try to make a pod keep as much for them as it will."""

import asyncio
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.communication_service.stations import PING, RawSocket

_PIECE = " " * 64 * 1024
_MOST = 1_000_000  # a little less than the largest message that is taken
_FIN, _COMPRESSED, _CONTINUED, _TEXT = 0x80, 0x40, 0, 1

Frame = tuple[str | bytes, int, int]
"""What it holds, its opcode, and its flags."""


def _unfinished() -> Iterator[Frame]:
    """A message of less than the limit that is never finished."""
    yield "[", _TEXT, 0
    for _ in range(_MOST // len(_PIECE)):
        yield _PIECE, _CONTINUED, 0
    yield from _here()


def _endless() -> Iterator[Frame]:
    """A message that goes on beyond every limit."""
    yield "[", _TEXT, 0
    while True:
        yield _PIECE, _CONTINUED, 0


def _inflating() -> Iterator[Frame]:
    """Small messages that are large, one after another."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    text = f'[2,"7","Unheard",{{"of":"{"x" * _MOST}"}}]'.encode()
    packed = (packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")
    while True:
        yield packed, _TEXT, _FIN | _COMPRESSED


def _large() -> Iterator[Frame]:
    """Large messages, none of which waits for the answer to the last."""
    while True:
        yield f'[2,"7","Unheard",{{"of":"{"x" * _MOST}"}}]', _TEXT, _FIN


def _unread() -> Iterator[Frame]:
    """Calls whose answers are not read."""
    while True:
        yield f'[2,"{"7" * 36}","Heartbeat",{{}}]', _TEXT, _FIN


def _here() -> Iterator[Frame]:
    """Signs of life, slowly: what was sent before stays where it is."""
    while True:
        yield b"", PING, _FIN


KINDS: dict[str, Callable[[], Iterator[Frame]]] = {
    "unfinished": _unfinished,
    "endless": _endless,
    "inflating": _inflating,
    "large": _large,
    "unread": _unread,
}


@dataclass
class Hoarders:
    """Connections to whichever pod is there; one that is ended is made anew."""

    ports: Sequence[int]
    """Of the pods; a hoarder that finds one gone goes on to the next."""

    sent_bytes: Counter[str] = field(default_factory=Counter)
    connected: Counter[int] = field(default_factory=Counter)

    async def hoard(self, kind: str, number: int) -> None:
        """For ever."""
        while True:
            for port in self.ports:
                with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                    await self._hoard_at(port, kind, number)
                await asyncio.sleep(0.5)

    async def _hoard_at(self, port: int, kind: str, number: int) -> None:
        async with RawSocket.dialled(port) as socket:
            name = f"HOARDER-{kind}-{number}"
            status, _ = await socket.upgrade(name, Sec_WebSocket_Extensions="permessage-deflate")
            if status != 101:
                return
            self.connected[port] += 1
            try:
                async with asyncio.TaskGroup() as group:
                    if kind != "unread":
                        group.create_task(_read(socket))
                    group.create_task(self._send(socket, kind))
            except* (OSError, EOFError):
                pass
            finally:
                self.connected[port] -= 1

    async def _send(self, socket: RawSocket, kind: str) -> None:
        for payload, opcode, flags in KINDS[kind]():
            socket.send(payload, opcode, flags=flags)
            await socket.writer.drain()
            self.sent_bytes[kind] += len(payload)
            await asyncio.sleep(1.0 if opcode == PING else 0)


async def _read(socket: RawSocket) -> None:
    while await socket.reader.read(1 << 16):
        pass
    raise EOFError


@asynccontextmanager
async def hoarding(*ports: int, of_each: int) -> AsyncIterator[Hoarders]:
    """Let so many of each kind hoard until the block ends."""
    hoarders = Hoarders(ports)
    tasks = [asyncio.create_task(hoarders.hoard(kind, number)) for kind in KINDS for number in range(of_each)]
    try:
        yield hoarders
        assert not any(task.done() for task in tasks), [task for task in tasks if task.done()]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
