"""CALLs to one station: one outstanding at a time (OCPP-J 1.6 §4.1.1), the urgent first, none after its deadline."""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from communication_service.ocpp.frames import CallError, CallResult, dump_call

Answer = CallResult | CallError
SendText = Callable[[str], Awaitable[None]]

_ids = itertools.count(1)


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
    async def turn(self, priority: int) -> AsyncIterator[None]:
        """Wait for a turn; a smaller `priority` goes first."""
        if self._busy:
            self._order += 1
            mine = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (priority, self._order, mine))
            try:
                await mine
            except asyncio.CancelledError:
                if mine.done() and not mine.cancelled():
                    self._next()
                raise
        self._busy = True
        try:
            yield
        finally:
            self._next()

    def _next(self) -> None:
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._busy = False


class Calls:
    """The pending CALLs of one connection; an answer goes straight to who waits for it."""

    __slots__ = ("_pending", "_send", "lane")

    def __init__(self, send: SendText) -> None:
        self._send = send
        self._pending: dict[str, asyncio.Future[Answer]] = {}
        self.lane = Lane()

    async def call(self, action: str, payload: dict[str, Any], *, timeout: float) -> Answer:
        """Send a CALL and wait. Raises TimeoutError, or Disconnected when the connection ends first."""
        message_id = f"s{next(_ids):x}"
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._pending[message_id] = answered
        try:
            async with asyncio.timeout(timeout):
                await self._send(dump_call(message_id, action, payload))
                return await answered
        finally:
            self._pending.pop(message_id, None)

    def resolve(self, answer: Answer) -> bool:
        """Hand an answer over; False for one that nobody waits for (late, repeated, unasked)."""
        pending = self._pending.get(str(answer.message_id))
        if pending is None or pending.done():
            return False
        pending.set_result(answer)
        return True

    def abandon(self) -> None:
        """The connection ended: nobody will answer."""
        for pending in self._pending.values():
            if not pending.done():
                pending.set_exception(Disconnected())
