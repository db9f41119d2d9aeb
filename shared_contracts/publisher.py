"""Where events are handed over: one lane per shard, all within one bound on what may wait."""

import asyncio
import time
from datetime import UTC, datetime

from shared_contracts.batches import Waiting
from shared_contracts.bus import PROBE, Backlog, BusFull, BusUnavailable, Counters, Limits, Unroutable, shard_of
from shared_contracts.gather import ROUTE_BYTES, Lane, Send, finish
from shared_contracts.message import Envelope, new_id

STALLED_AFTER_S = 10.0
"""From this age of the oldest unconfirmed event on, the bus is not ready."""


class Publisher:
    """The lanes of all shards, within one bound on what may wait."""

    def __init__(self, send: Send, limits: Limits, counters: Counters) -> None:
        self._limits = limits
        self._counters = counters
        self._lanes = [Lane(shard, send, limits, counters) for shard in range(limits.shards)]
        self._closed = False

    def publish(self, envelope: Envelope, only: str | None, *, perishable: bool = False) -> asyncio.Future[None]:
        """Queue an event in its shard's lane; fails at once with BusFull where too much waits already."""
        return self._put(envelope, only, shard_of(envelope, len(self._lanes)), perishable=perishable)

    def probe(self, consumer: str, shard: int) -> asyncio.Future[None]:
        """Queue a probe in a shard's lane, behind what waits there."""
        return self._put(Envelope(new_id(), PROBE, None, datetime.now(UTC), b"{}"), consumer, shard)

    def _put(
        self, envelope: Envelope, only: str | None, shard: int, *, perishable: bool = False
    ) -> asyncio.Future[None]:
        counters = self._counters
        if len(envelope.key) > ROUTE_BYTES:
            raise ValueError(f"a routing key has at most {ROUTE_BYTES} bytes: {envelope.key}")
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        size = len(envelope.payload)
        if self._closed:
            finish(future, BusUnavailable("the bus was stopped"))
        elif self._lanes[shard].missing and envelope.key != PROBE:
            finish(future, Unroutable(f"no queue of {', '.join(self._lanes[shard].missing)}"))
        elif self._has_no_room_for(size):
            finish(future, BusFull(f"{counters.waiting_envelopes} events wait to be confirmed"))
        else:
            counters.waiting_envelopes += 1
            counters.waiting_bytes += size
            self._lanes[shard].put(Waiting(envelope, size, only, future, time.monotonic(), perishable))
        return future

    @property
    def stalled(self) -> bool:
        """Whether some event has waited to be confirmed for longer than STALLED_AFTER_S."""
        since = [lane.oldest_at for lane in self._lanes if lane.oldest_at is not None]
        return bool(since) and time.monotonic() - min(since) > STALLED_AFTER_S

    def backlogs(self) -> tuple[Backlog, ...]:
        """What waits in each lane."""
        return tuple(lane.backlog for lane in self._lanes)

    async def stop(self) -> None:
        """Refuse new events, flush for at most one publish timeout, give up the rest."""
        self._closed = True
        flushes = [asyncio.ensure_future(lane.flush()) for lane in self._lanes]
        _, late = await asyncio.wait(flushes, timeout=self._limits.publish_timeout_s)
        for lane in self._lanes:
            lane.close()
        await asyncio.gather(*late)

    def _has_no_room_for(self, size: int) -> bool:
        counters, limits = self._counters, self._limits
        return (
            counters.waiting_envelopes >= limits.waiting_envelopes
            or counters.waiting_bytes + size > limits.waiting_bytes
        )
