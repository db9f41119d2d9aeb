"""What a consumer knows of each shard: whether it waits or stands still, and how old what it works on is."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from shared_contracts.bus import Delivery
from shared_contracts.message import Envelope

_STALLS = 2
"""So often a message may stand still before it is set aside like a bad one."""


class Shard:
    """One shard of one consumer. Times are of the monotonic clock, but for the age of a message."""

    def __init__(self) -> None:
        self.paused = False
        self.careful = False
        self.stalls = 0
        self.handling: str | None = None
        self._stalled: Counter[str] = Counter()
        self._limit = asyncio.timeout(None)
        self._within_s = 0.0
        self._begun_at: float | None = None
        self._oldest_made_at: float | None = None

    @contextmanager
    def working_on(self, deliveries: Sequence[Delivery]) -> Iterator[None]:
        """While deliveries are handled, however often that is tried."""
        firsts = [made_at(envelope) for delivery in deliveries for envelope in delivery.envelopes[:1]]
        self._begun_at, self._oldest_made_at = time.monotonic(), min(firsts, default=None)
        try:
            yield
        finally:
            self.paused = self.careful = False
            self._begun_at = self._oldest_made_at = None
            self._stalled.clear()

    @property
    def in_work_s(self) -> float:
        """For how long the deliveries at hand have been; 0 when idle."""
        return 0.0 if self._begun_at is None else time.monotonic() - self._begun_at

    @property
    def oldest_s(self) -> float:
        """The age of the oldest message at hand, from when its envelope was made, at the broker included."""
        return 0.0 if self._oldest_made_at is None else max(0.0, time.time() - self._oldest_made_at)

    def limit(self, within_s: float) -> asyncio.Timeout:
        """The limit of one try."""
        self._limit, self._within_s, self.handling = asyncio.timeout(within_s), within_s, None
        return self._limit

    def begin(self, envelope_id: str) -> None:
        """A message is handled by itself, and has as long as a batch: many that are slow do not stand still."""
        self.handling = envelope_id
        self._limit.reschedule(asyncio.get_running_loop().time() + self._within_s)

    def stand_still(self) -> None:
        """The work was ended because it took too long: from now on message by message, to see which it is."""
        self.stalls += 1
        if self.careful and self.handling is not None:
            self._stalled[self.handling] += 1
        self.careful = True

    def stands_still_at(self, envelope_id: str) -> bool:
        """Whether this message is what everything stood still at, more than once."""
        return self._stalled[envelope_id] >= _STALLS


def made_at(envelope: Envelope) -> float:
    """When it was sealed, seconds since 1970: its id begins with it. Now for an id that is none of ours."""
    try:
        return int(envelope.id[:12], 16) / 1000
    except ValueError:
        return time.time()
