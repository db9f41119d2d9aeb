"""Group commit of events: a lane per shard sends at once when idle, and gathers under load.

It gathers while a confirm is outstanding, and while it has sent many batches lately.

A batch is retried as it was, under the same id, and never overtaken by a later one: so a consumer that
remembers ids sees each event once, and a station's events stay in order whatever the carrier goes through.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import structlog

from shared_contracts.batches import Batch, Waiting
from shared_contracts.bus import PROBE, Backlog, BusError, BusUnavailable, Counters, Limits, Unroutable

log = structlog.get_logger(__name__)

ROUTE_BYTES = 240
"""What the distinct keys of a batch may take, so that its AMQP routing key stays under 255 bytes."""

RETRY_LOG_S = 5.0
"""So often at most a lane's log tells that a batch is tried again."""

BURST = 8
"""So many batches may follow each other without a pause, so that few messages are never delayed."""


Send = Callable[[Batch], Awaitable[None]]
"""Carries a batch and returns when it is durable.

Raises Unroutable to give it up, anything else to be tried again. What was given up is not to be carried any more.
"""


class Lane:
    """The publisher of one shard: at most one batch in flight, the rest waits in order.

    `missing` are the consumers whose queue the last probe did not find.
    """

    def __init__(self, shard: int, send: Send, limits: Limits, counters: Counters) -> None:
        self._shard = shard
        self._send = send
        self._limits = limits
        self._counters = counters
        self._waiting: deque[Waiting] = deque()
        self._in_flight: Batch | None = None
        self._next_at = 0.0
        self._confirmed_at = 0.0
        self._told_at = 0.0
        self.missing: set[str] = set()
        self._runner: asyncio.Task[None] | None = None

    def put(self, item: Waiting) -> None:
        """Queue an envelope; it leaves in this turn of the loop if nothing is in flight."""
        self._waiting.append(item)
        if self._runner is None:
            self._runner = asyncio.create_task(self._run(), name=f"lane-{self._shard}")

    @property
    def oldest_at(self) -> float | None:
        """When (time.monotonic) the oldest unconfirmed envelope was handed over; None if there is none."""
        if self._in_flight is not None:
            return self._in_flight.waiting[0].put_at
        return self._waiting[0].put_at if self._waiting else None

    @property
    def backlog(self) -> Backlog:
        """How long the oldest envelope waits, and for how long nothing was confirmed meanwhile."""
        oldest_at, now = self.oldest_at, time.monotonic()
        if oldest_at is None:
            return Backlog()
        return Backlog(now - oldest_at, now - max(oldest_at, self._confirmed_at))

    async def flush(self) -> None:
        """Wait until everything is confirmed."""
        while self._runner is not None:
            await asyncio.wait((self._runner,))

    def close(self) -> None:
        """Give up what is not confirmed: its outcome is unknown."""
        if self._runner is not None:
            self._runner.cancel()
        self._expire_before(float("inf"), "the bus was stopped")

    async def _run(self) -> None:
        self._expire_later()
        try:
            while self._waiting:
                await self._keep_pace()
                if self._waiting:
                    self._in_flight = self._cut()
                    await self._deliver(self._in_flight)
                    self._in_flight = None
        finally:
            self._expiry.cancel()
            self._runner = None

    async def _keep_pace(self) -> None:
        """Let a few batches go at once, then one per `pace_s`: a body costs far more than an envelope in it."""
        now, pace_s = time.monotonic(), self._limits.pace_s
        self._next_at = max(self._next_at, now - BURST * pace_s) + pace_s
        if self._next_at > now:
            await asyncio.sleep(self._next_at - now)

    def _cut(self) -> Batch:
        """Take from the front what fits one body: same addressee, as perishable; bounded in count, bytes, keys."""
        first = self._waiting.popleft()
        batch = Batch(self._shard, first.only, {first.envelope.key}, [first])
        size, route = first.size, len(first.envelope.key)
        while self._waiting and len(batch.waiting) < self._limits.batch_envelopes:
            item = self._waiting[0]
            key = item.envelope.key
            size += item.size
            if key not in batch.keys:
                route += len(key) + 1
            if (
                (item.only, item.perishable) != (first.only, first.perishable)
                or size > self._limits.batch_bytes
                or route > ROUTE_BYTES
            ):
                break
            batch.keys.add(key)
            batch.waiting.append(self._waiting.popleft())
        return batch

    async def _deliver(self, batch: Batch) -> None:
        pause = 0.05
        while True:
            try:
                await self._send(batch)
            except Unroutable as error:
                return self._settle(batch, error)
            except Exception as error:  # whatever the carrier went through, the batch is kept
                if batch.given_up:
                    return self._give_up(batch)
                self._note_retry(batch, error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, 1.0)
            else:
                return self._settle(batch, None)

    def _note_retry(self, batch: Batch, error: Exception) -> None:
        self._counters.retried_bodies += 1
        now = time.monotonic()
        if now - self._told_at >= RETRY_LOG_S:
            self._told_at = now
            log.warning("publish_retried", shard=self._shard, batch=batch.id, error=repr(error))

    def _learn(self, batch: Batch, error: BusError | None) -> None:
        """What a probe found: while a queue is missing, the lane takes no event that belongs into it."""
        if batch.only is not None and batch.keys == {PROBE}:
            (self.missing.discard if error is None else self.missing.add)(batch.only)

    def _settle(self, batch: Batch, error: BusError | None) -> None:
        self._confirmed_at = time.monotonic()
        self._learn(batch, error)
        for item in batch.waiting:
            if not item.future.done():
                finish(item.future, error)
        count = len(batch.waiting)
        self._drop(batch.waiting)
        if error is None:
            self._counters.published += count
            self._counters.bodies_published += 1
        else:
            self._counters.failed += count
            self._counters.unroutable += count
            if PROBE not in batch.keys:  # who sends probes tells of them
                keys = sorted(batch.keys)
                log.error("event_unroutable", shard=self._shard, keys=keys, only=batch.only, events=count)

    def _give_up(self, batch: Batch) -> None:
        """Its first envelope waited too long: the others were handed over soon after, and will be again."""
        for item in batch.waiting:
            if not item.future.done():
                finish(item.future, BusUnavailable("given up with what was before it"))
        self._drop(batch.waiting)

    def _drop(self, items: Sequence[Waiting]) -> None:
        """These wait no longer."""
        self._counters.waiting_envelopes -= len(items)
        self._counters.waiting_bytes -= sum(item.size for item in items)

    def _expire_later(self) -> None:
        """Tell those who waited long that the outcome is unknown; what is not perishable is still sent."""
        bound = 3 * self._limits.publish_timeout_s
        self._expire_before(time.monotonic() - bound, f"not confirmed in {bound:g} s")
        given_up = [item for item in self._waiting if item.given_up]
        if given_up:
            self._waiting = deque(item for item in self._waiting if not item.given_up)
            self._drop(given_up)
        self._expiry = asyncio.get_running_loop().call_later(bound / 15, self._expire_later)

    def _expire_before(self, moment: float, reason: str) -> None:
        in_flight = self._in_flight.waiting if self._in_flight is not None else ()
        for items in (in_flight, self._waiting):
            for item in items:
                if item.put_at > moment:
                    return
                if not item.future.done():
                    finish(item.future, BusUnavailable(reason))


def finish(future: asyncio.Future[None], error: BusError | None) -> None:
    """Tell whoever waits for an event how it went."""
    if error is None:
        return future.set_result(None)
    future.set_exception(error)
    future.exception()  # not every caller waits for the outcome: asyncio need not log that nobody did
    return None
