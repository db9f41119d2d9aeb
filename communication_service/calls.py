"""CALLs to one station: one outstanding at a time (OCPP-J 1.6 §4.1.1), the urgent first, none after its deadline."""

import asyncio
import heapq
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from communication_service.ocpp.frames import CallError, CallResult, dump_call

_LAST = 1_000
_NO_HURRY_S = 3600.0

Answer = CallResult | CallError
SendText = Callable[[str], Awaitable[None]]


class NotSent(Exception):
    """The connection had ended before the CALL was sent."""


class Disconnected(Exception):
    """The connection ended before the station answered."""


class Lane:
    """Lets one command at a time through: by priority, then in order of arrival."""

    __slots__ = ("_busy", "_order", "_waiting")

    def __init__(self) -> None:
        self._busy = False
        self._order = 0
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def turn(self, priority: int, *, timeout: float) -> AsyncIterator[None]:
        """Wait for a turn, at most `timeout` seconds (TimeoutError); a smaller `priority` goes first."""
        if self._busy:
            await self._wait(priority, timeout)
        self._busy = True
        try:
            yield
        finally:
            self._next()

    async def _wait(self, priority: int, timeout: float) -> None:
        self._order += 1
        mine = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, self._order, mine))
        try:
            async with asyncio.timeout(timeout):
                await mine
        except (TimeoutError, asyncio.CancelledError):
            if mine.done() and not mine.cancelled():
                self._next()  # the turn came at the very moment of giving up: it is passed on
            raise

    def _next(self) -> None:
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._busy = False


class Calls:
    """The pending CALLs of one connection; an answer goes straight to who waits for it.

    Message ids begin with the connection's epoch: a station may still answer what an earlier connection asked.
    """

    __slots__ = ("_asked", "_ended", "_epoch", "_pending", "_send", "closing", "lane")

    def __init__(self, send: SendText, epoch: int) -> None:
        self._send = send
        self._epoch = f"{epoch:x}"
        self._asked = 0
        self._pending: dict[str, asyncio.Future[Answer]] = {}
        self._ended = False
        self.closing = False
        self.lane = Lane()

    async def call(
        self, action: str, payload: dict[str, Any], *, timeout: float, on_silence: Callable[[str], None] | None = None
    ) -> Answer:
        """Send a CALL and wait. Raises NotSent, or TimeoutError or Disconnected: then its effect is unknown, and
        `on_silence` is called with the message id that an answer will bear, should one still come."""
        if self._ended:
            raise NotSent
        self._asked += 1
        message_id = f"{self._epoch}-{self._asked}"
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._pending[message_id] = answered
        try:
            async with asyncio.timeout(timeout):
                await self._send(dump_call(message_id, action, payload))
                return await answered
        except ConnectionError as error:
            raise NotSent from error
        except (TimeoutError, Disconnected):
            if on_silence is not None:
                on_silence(message_id)
            raise
        finally:
            self._pending.pop(message_id, None)

    async def idle(self) -> None:
        """Wait until no command is being carried out."""
        async with self.lane.turn(_LAST, timeout=_NO_HURRY_S):
            return

    async def refuse(self, text: str) -> None:
        """Send a CALLRESULTERROR, if there still is somebody to send it to."""
        if not self._ended:
            await self._send(text)

    def resolve(self, answer: Answer) -> bool:
        """Hand an answer over; False for one that nobody waits for (late, repeated, unasked)."""
        pending = self._pending.get(str(answer.message_id))
        if pending is None or pending.done():
            return False
        pending.set_result(answer)
        return True

    def abandon(self) -> None:
        """The connection ended: nobody will answer, and nothing more is sent."""
        self._ended = True
        for pending in self._pending.values():
            if not pending.done():
                pending.set_exception(Disconnected())
