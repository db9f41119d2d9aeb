"""The two times of a station: what its clock shows while it charges, and how long it waits for its link."""

import asyncio
from datetime import UTC, datetime, timedelta


class Clock:
    """A clock that may run faster than the wall, so that hours of charging pass in seconds.

    `speed` scales what the station's own clock shows: timestamps, meter intervals, charge durations.
    `link_speed` scales the waits of the link: heartbeats, retries, back-off, timeouts. They are apart
    because the central system at the other end still lives in real time. `start` is what the clock
    shows first (default: now), in UTC.
    """

    def __init__(self, *, speed: float = 1.0, link_speed: float = 1.0, start: datetime | None = None) -> None:
        self.speed = speed
        self.link_speed = link_speed
        self._start = start or datetime.now(UTC)
        self._origin: float | None = None

    def now(self) -> datetime:
        """Return the station's time, in UTC."""
        return self._start + timedelta(seconds=self._elapsed() * self.speed)

    async def sleep_until(self, at: datetime) -> None:
        """Sleep until the station's clock shows `at`; never less, so that later stamps are not earlier."""
        while (ahead := (at - self.now()).total_seconds()) > 0:  # noqa: ASYNC110 - awaits a time, not a state
            await asyncio.sleep(ahead / self.speed)

    def link_now(self) -> float:
        """Return a monotonic number of link seconds, for deadlines."""
        return asyncio.get_running_loop().time() * self.link_speed

    def real(self, link_seconds: float) -> float:
        """Return how many real seconds `link_seconds` last."""
        return link_seconds / self.link_speed

    def _elapsed(self) -> float:
        """Return the real seconds since the clock was first read."""
        time = asyncio.get_running_loop().time()
        if self._origin is None:
            self._origin = time
        return time - self._origin
