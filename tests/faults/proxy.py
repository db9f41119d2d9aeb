"""A TCP proxy that spoils what passes: late, slow, in slices, not at all, one direction only, or cut off."""

import asyncio
import random
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Literal, Self

Direction = Literal["up", "down"]
"""`up` is from the client to the server, `down` is back."""

_LOOPBACK = "127.0.0.1"
_READ = 64 * 1024
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER of zero seconds: closing sends RST


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the bytes of one direction. The default harms nothing."""

    latency_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: float | None = None
    slice_bytes: int | None = None
    reset_share: float = 0.0
    """The probability that a piece read ends its connection with RST instead of passing."""
    silent: bool = False
    """Pieces are read and thrown away: neither side is told."""
    stopped: bool = False
    """Nothing is read: the sender's buffers fill up."""


_NONE = Fault()


@dataclass(eq=False)
class _Pair:
    """One connection of a client, and the one to the server that was opened for it."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    pumps: list[asyncio.Task[None]] = field(default_factory=list)

    def cut(self, *, reset: bool) -> None:
        for writer in (self.client, self.server):
            if reset:
                with suppress(OSError):
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort() if reset else writer.close()


class FaultProxy:
    """Stands before a server on the loopback; faults may be set and taken away while connections live.

    `target` is a port of the loopback, or the path of a Unix socket. `seed` decides what is random. A refused
    connection is accepted and reset at once, as by a port that nobody listens on.
    """

    def __init__(self, target: int | str, *, seed: int = 0) -> None:
        self.target = target
        self.port = 0
        self.refusing = False
        self.bytes_passed = 0
        self.connections_made = 0
        self._faults: dict[Direction, Fault] = {"up": _NONE, "down": _NONE}
        self._changed = asyncio.Event()
        self._random = random.Random(seed)
        self._pairs: set[_Pair] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, _LOOPBACK, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut(reset=True)
        await asyncio.gather(*(pump for pair in list(self._pairs) for pump in pair.pumps), return_exceptions=True)
        await self._server.wait_closed()

    @property
    def connections(self) -> int:
        """How many are open now."""
        return len(self._pairs)

    def set(self, fault: Fault, direction: Direction | None = None) -> None:
        """Spoil one direction, or both."""
        directions: tuple[Direction, ...] = (direction,) if direction else ("up", "down")
        for each in directions:
            self._faults[each] = fault
        self._changed.set()
        self._changed = asyncio.Event()

    def heal(self) -> None:
        """Let everything pass again; what was thrown away stays so."""
        self.refusing = False
        self.set(_NONE)

    @contextmanager
    def spoiled(self, direction: Direction | None = None, **what: object) -> Iterator[None]:
        """Spoil for the length of a block: the fields of `Fault` by name."""
        self.set(replace(_NONE, **what), direction)  # type: ignore[arg-type]
        try:
            yield
        finally:
            self.heal()

    def cut(self, *, reset: bool) -> None:
        """End all connections, with RST or in order."""
        for pair in list(self._pairs):
            pair.cut(reset=reset)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.refusing:
                raise ConnectionRefusedError
            to_read, to_write = await self._connect()
        except OSError:
            writer.transport.abort()
            return
        self.connections_made += 1
        pair = _Pair(writer, to_write)
        self._pairs.add(pair)
        pair.pumps = [
            asyncio.create_task(self._pump(pair, reader, to_write, "up")),
            asyncio.create_task(self._pump(pair, to_read, writer, "down")),
        ]
        await asyncio.gather(*pair.pumps, return_exceptions=True)
        pair.cut(reset=False)
        self._pairs.discard(pair)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.target, str):
            return await asyncio.open_unix_connection(self.target)
        return await asyncio.open_connection(_LOOPBACK, self.target)

    async def _pump(
        self, pair: _Pair, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: Direction
    ) -> None:
        try:
            while True:
                while self._faults[direction].stopped:
                    await self._changed.wait()
                piece = await reader.read(self._faults[direction].slice_bytes or _READ)
                if not piece:
                    break
                await self._pass_on(pair, piece, writer, direction)
            if writer.can_write_eof() and not writer.is_closing():
                writer.write_eof()
        except OSError:  # who was reset resets the other
            pair.cut(reset=True)

    async def _pass_on(self, pair: _Pair, piece: bytes, writer: asyncio.StreamWriter, direction: Direction) -> None:
        fault = self._faults[direction]
        delay_s = fault.latency_s + fault.jitter_s * self._random.random()
        if fault.bytes_per_s:
            delay_s += len(piece) / fault.bytes_per_s
        if delay_s:
            await asyncio.sleep(delay_s)
        fault = self._faults[direction]
        if fault.silent:
            return
        if fault.reset_share and self._random.random() < fault.reset_share:
            pair.cut(reset=True)
            return
        self.bytes_passed += len(piece)
        writer.write(piece)
        await writer.drain()
