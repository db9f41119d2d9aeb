"""Watches the event loop: the one thing that /livez tells of, since a dependency that is away must not kill a pod."""

import asyncio
import time

from prometheus_client import Gauge

_TICK_S = 0.5
_STUCK_S = 10.0


class LoopWatch:
    """Measures how late the loop is, twice a second."""

    def __init__(self, lag: Gauge) -> None:
        self._lag = lag
        self._ticked_at = time.monotonic()

    async def run(self) -> None:
        """Measure for ever."""
        while True:
            expected = time.monotonic() + _TICK_S
            await asyncio.sleep(_TICK_S)
            self._ticked_at = time.monotonic()
            self._lag.set(max(0.0, self._ticked_at - expected))

    @property
    def lively(self) -> bool:
        """Whether the loop turned within the last seconds."""
        return time.monotonic() - self._ticked_at < _STUCK_S
