"""How much of a connection is read, and how fast: a token bucket that answers too much by not reading on.

Whoever is refused throws a message away, and whoever is not read keeps it: so a station that sends too fast is never
answered with CALLERROR, it has to wait. An honest one that delivers what it queued while offline does not notice.
"""

import time

COUNTS_TWICE_BYTES = 4096
"""A message counts as one, and as one more for each of so many bytes, inflated."""

_BURST_S = 10
_IN_A_ROW = 16


class Allowance:
    """Messages that may be taken over time; ten seconds' worth may come at once."""

    __slots__ = ("_at", "_left", "_per_s", "_taken")

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._left = per_s * _BURST_S
        self._at = time.monotonic()
        self._taken = 0

    def spend(self, messages: int) -> None:
        """So many were taken: the allowance may go below zero, and has to be waited for then."""
        self._left -= messages
        self._taken += messages

    def pause_s(self) -> float | None:
        """How long to pause before the next is taken; 0 lets others have their turn, None needs no pause."""
        if self._left < 0:
            self._refill()
            if self._left < 0:
                return -self._left / self._per_s
        if self._taken < _IN_A_ROW:
            return None
        self._taken = 0
        return 0.0

    def _refill(self) -> None:
        now = time.monotonic()
        self._left = min(self._left + (now - self._at) * self._per_s, self._per_s * _BURST_S)
        self._at = now
