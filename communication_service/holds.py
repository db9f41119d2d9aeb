"""Stations that are held off for a while: none of their connections is taken until then, by this pod."""

import time
from collections import OrderedDict
from collections.abc import Callable

_REMEMBERED = 10_000


class Holds:
    """Until when which station is held off. Beyond `_REMEMBERED` the one that was held off first comes in again."""

    def __init__(self, *, hold_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._hold_s = hold_s
        self._clock = clock
        self._until: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._until)

    def begin(self, station_id: str) -> None:
        """Hold a station off from now on."""
        self._until[station_id] = self._clock() + self._hold_s
        self._until.move_to_end(station_id)
        if len(self._until) > _REMEMBERED:
            self._until.popitem(last=False)

    def left_s(self, station_id: str) -> float:
        """For how long it is still held off; 0 for not."""
        until = self._until.get(station_id)
        if until is None:
            return 0.0
        left = until - self._clock()
        if left <= 0:
            del self._until[station_id]
        return max(0.0, left)

    def end(self, station_id: str) -> None:
        """Let it in again."""
        self._until.pop(station_id, None)
