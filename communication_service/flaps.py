"""Connections of one station that push each other out: after a few in a minute, new ones are held off."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable

from communication_service.holds import Holds

_WINDOW_S = 60.0
_REMEMBERED = 10_000


class Flaps:
    """Counts per station how often a connection that was alive gave way to a newer one."""

    def __init__(self, *, most: int, hold_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._times: OrderedDict[str, deque[float]] = OrderedDict()
        self._holds = Holds(hold_s=hold_s, clock=clock)

    def note(self, station_id: str) -> bool:
        """Count one; whether it was one too many, so that new connections are held off from now on."""
        now = self._clock()
        times = self._times.setdefault(station_id, deque(maxlen=self._most + 1))
        self._times.move_to_end(station_id)
        times.append(now)
        if len(self._times) > _REMEMBERED:
            self._times.popitem(last=False)
        if len(times) <= self._most or times[0] < now - _WINDOW_S:
            return False
        times.clear()
        self._holds.begin(station_id)
        return True

    def held_s(self, station_id: str) -> float:
        """For how long new connections of the station are still held off; 0 for not."""
        return self._holds.left_s(station_id)

    def release(self, station_id: str) -> None:
        """The connection that was kept has ended: the next is no duplicate."""
        self._holds.end(station_id)
