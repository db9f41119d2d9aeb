"""Lines of a log that would be many."""

import time


class Sparse:
    """Lets one line of a kind into the log per second: what a counter counts need not be told a thousand times."""

    def __init__(self, every_s: float = 1.0) -> None:
        self._every_s = every_s
        self._next_at = 0.0

    def due(self) -> bool:
        """Whether the line may be written now."""
        now = time.monotonic()
        if now < self._next_at:
            return False
        self._next_at = now + self._every_s
        return True
