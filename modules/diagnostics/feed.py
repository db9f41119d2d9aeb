"""Follows the event store, once per process and only while somebody listens, and hands events to all who do."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cached_property
from typing import Any, cast

import orjson
import structlog

from modules.diagnostics.domain import EventFilter, StoredEvent
from modules.diagnostics.repository import events
from modules.kernel.work import ModuleContext

log = structlog.get_logger()

_PAGE = 500
_PAUSE_S = 0.02  # between two readings: a busy system is read in larger pieces
_POLL_S = 1.0  # where no notification comes, e.g. through a pooler that does not carry them
_WAITING_S = 0.25
_QUEUE = 1000
_ALL = EventFilter()


class FeedEvent:
    """A stored event as listeners share it: what is derived from it is derived once."""

    def __init__(self, event: StoredEvent) -> None:
        self.position = event.position
        self.key = event.key
        self.station_id = event.station_id
        self._event = event

    @cached_property
    def payload(self) -> dict[str, Any]:
        """The payload, decoded."""
        return cast("dict[str, Any]", orjson.loads(self._event.payload))

    @cached_property
    def text(self) -> str:
        """The event as JSON in one line; the payload is passed on as it was stored."""
        head = {"key": self.key, "station_id": self.station_id, "occurred_at": self._event.occurred_at}
        return f'{orjson.dumps(head).decode()[:-1]},"payload":{self._event.payload}}}'

    @property
    def has_readings(self) -> bool:
        """Whether the payload says something of meters."""
        return '"readings"' in self._event.payload


class Listener:
    """Receives what is stored after it came. One that is too slow is cut off, and may come again."""

    def __init__(self) -> None:
        self.is_cut_off = False
        self._since: int | None = None
        self._waiting: deque[FeedEvent] = deque()
        self._changed = asyncio.Event()

    @property
    def has_begun(self) -> bool:
        """Whether events come."""
        return self._since is not None

    def begin(self, since: int) -> None:
        """Say after which position events come; once."""
        if self._since is None:
            self._since = since
            self._changed.set()

    async def begun(self) -> int | None:
        """After which position events come; None where it was cut off before they did."""
        while self._since is None and not self.is_cut_off:
            self._changed.clear()
            await self._changed.wait()
        return self._since

    def put(self, event: FeedEvent) -> bool:
        """Hand over an event; returns False where too many wait already."""
        if len(self._waiting) >= _QUEUE:
            self.cut_off()
            return False
        self._waiting.append(event)
        self._changed.set()
        return True

    def cut_off(self) -> None:
        """End it, after what waits already."""
        self.is_cut_off = True
        self._changed.set()

    async def next(self, until: float) -> FeedEvent | None:
        """The next event; None after the last before it was cut off, and after a time of the loop's clock."""
        try:
            async with asyncio.timeout_at(until):
                while not self._waiting and not self.is_cut_off:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return None
        is_over = not self._waiting or asyncio.get_running_loop().time() >= until
        return None if is_over else self._waiting.popleft()


class Feed:
    """The one reader of a process."""

    def __init__(self, context: ModuleContext) -> None:
        self._context = context
        self._listeners: set[Listener] = set()
        self._wanted = asyncio.Event()
        self._woken = asyncio.Event()
        self._position: int | None = None

    @contextmanager
    def listen(self) -> Iterator[Listener]:
        """Listen from now on."""
        listener = Listener()
        self._listeners.add(listener)
        if self._position is not None:
            listener.begin(self._position)
        self._wanted.set()
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def close(self) -> None:
        """End every stream: their clients come back, to whoever serves them then."""
        for listener in self._listeners:
            listener.cut_off()

    async def missed(self, after: int, until: int) -> AsyncGenerator[FeedEvent, None]:
        """What was stored between two positions."""
        while after < until:
            async with self._context.serve() as work:
                found = await events.read_events(work, _ALL, after=after, until=until, limit=_PAGE)
            for event in found:
                yield FeedEvent(event)
            if len(found) < _PAGE:
                return
            after = found[-1].position

    async def run(self) -> None:
        """Follow while there are listeners."""
        while True:
            await self._wanted.wait()
            async with _notifications(self._context, self._woken.set) as is_connected:
                await self._follow(is_connected)

    async def _follow(self, is_connected: Callable[[], bool]) -> None:
        position = await self._begin()
        unsettled_s = _PAUSE_S
        while self._listeners:
            if not is_connected():
                raise ConnectionError("the connection that listens for stored events was lost")
            self._woken.clear()
            async with self._context.work() as work:
                bounds = await events.bounds(work)
                found = await events.read_events(work, _ALL, after=position, until=bounds.settled, limit=_PAGE)
            waits = bounds.settled < bounds.given
            self._hand_out([FeedEvent(event) for event in found])
            if found:
                self._position = position = found[-1].position
            unsettled_s = min(unsettled_s * 2, _WAITING_S) if waits and not found else _PAUSE_S
            if len(found) < _PAGE:
                await self._pause(unsettled_s if waits else _POLL_S)
        self._position = None
        self._wanted.clear()

    async def _begin(self) -> int:
        """Where to read on, or from now; says so to who waits for it."""
        if self._position is None:
            async with self._context.work() as work:
                self._position = (await events.bounds(work)).settled
        for listener in self._listeners:
            listener.begin(self._position)
        return self._position

    def _hand_out(self, found: list[FeedEvent]) -> None:
        for event in found:
            for listener in [each for each in self._listeners if not each.put(event)]:
                self._listeners.discard(listener)
                log.info("stream_cut_off", reason="too slow")

    async def _pause(self, at_most_s: float) -> None:
        await asyncio.sleep(_PAUSE_S)
        try:
            async with asyncio.timeout(at_most_s):
                await self._woken.wait()
        except TimeoutError:
            pass


@asynccontextmanager
async def _notifications(context: ModuleContext, wake: Callable[[], None]) -> AsyncIterator[Callable[[], bool]]:
    """Call `wake` whenever events are stored, by whatever process; gives out whether the connection still is."""
    async with context.work() as work:
        engine = (await work.connection()).engine
    async with engine.connect() as connection:
        driver = cast("Any", (await connection.get_raw_connection()).driver_connection)

        def notified(*_: object) -> None:
            wake()

        await driver.add_listener(events.NOTIFICATIONS, notified)
        try:
            yield lambda: not driver.is_closed()
        finally:
            await driver.remove_listener(events.NOTIFICATIONS, notified)
