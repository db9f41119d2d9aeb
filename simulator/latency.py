"""Latencies in bounded memory."""

from random import Random

SAMPLE_SIZE = 20_000


class Latencies:
    """A uniform sample of all latencies (reservoir sampling), good for percentiles of long runs."""

    def __init__(self) -> None:
        self._rng = Random(0)  # noqa: S311 - sampling, not secrets
        self._kept: list[float] = []
        self.count = 0
        self.max_s = 0.0

    def add(self, seconds: float) -> None:
        """Take a latency into account."""
        self.count += 1
        self.max_s = max(self.max_s, seconds)
        if len(self._kept) < SAMPLE_SIZE:
            self._kept.append(seconds)
        elif (slot := self._rng.randrange(self.count)) < SAMPLE_SIZE:
            self._kept[slot] = seconds

    def percentile(self, share: float) -> float | None:
        """Return the latency in seconds that `share` (0..1) of all stay under; None without any."""
        if not self._kept:
            return None
        ordered = sorted(self._kept)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
