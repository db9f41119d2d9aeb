"""Counts failed attempts to come in, so that keys and identities cannot be guessed, and nobody honest is locked out.

A source has an allowance of failures for each station, one for all stations together, and a station one for all
sources together: large, so that no single source can use it up. A source that has proven to be the station answers
for itself alone. Whoever has none left is refused before anything is looked up or compared.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from shared_contracts.sources import neighbourhood

_REMEMBERED = 50_000
_SOURCES = 10
"""So many sources must fail for a station until a new one is refused for it."""


@dataclass(slots=True)
class _Allowance:
    left: float
    at: float


class Allowances:
    """`most` failures at once for each name, and as many again per minute. The longest unused are forgotten."""

    def __init__(self, most: int) -> None:
        self._most = float(most)
        self._per_s = most / 60
        self._names: OrderedDict[str, _Allowance] = OrderedDict()

    def wait_s(self, name: str, now: float) -> float:
        """How long until another failure is allowed; 0 where one is now."""
        allowance = self._names.get(name)
        if allowance is None:
            return 0.0
        left = self._left(allowance, now)
        return 0.0 if left >= 1 else (1 - left) / self._per_s

    def take(self, name: str, now: float) -> bool:
        """Count a failure; whether it was the last one allowed."""
        allowance = self._names.get(name)
        if allowance is None:
            allowance = self._names[name] = _Allowance(self._most, now)
            if len(self._names) > _REMEMBERED:
                self._names.popitem(last=False)
        allowance.left, allowance.at = self._left(allowance, now) - 1, now
        self._names.move_to_end(name)
        return allowance.left < 1

    def _left(self, allowance: _Allowance, now: float) -> float:
        return min(self._most, allowance.left + (now - allowance.at) * self._per_s)


class Guard:
    """The allowances of this pod. Sources are addresses, of IPv6 the networks of a site."""

    def __init__(self, *, per_source: int, per_station: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._of_pairs = Allowances(per_station)
        self._of_sources = Allowances(per_source)
        self._of_stations = Allowances(per_station * _SOURCES)
        self._proven: OrderedDict[str, None] = OrderedDict()

    def wait_s(self, source: str | None, station_id: str) -> int:
        """Seconds until this source may try to be this station again; 0 for now."""
        now = self._clock()
        site, pair = _names(source, station_id)
        wait_s = self._of_pairs.wait_s(pair, now)
        if pair not in self._proven:
            wait_s = max(wait_s, self._of_sources.wait_s(site, now), self._of_stations.wait_s(station_id, now))
        return math.ceil(wait_s)

    def failed(self, source: str | None, station_id: str, *, guessed: bool) -> bool:
        """It could not prove to be the station; whether that was its last attempt for now.

        `guessed` is whether it showed anything that might have been right.
        """
        now = self._clock()
        site, pair = _names(source, station_id)
        last = self._of_pairs.take(pair, now)
        if pair in self._proven:
            return last
        last_of_station = guessed and self._of_stations.take(station_id, now)
        return self._of_sources.take(site, now) or last_of_station or last

    def proved(self, source: str | None, station_id: str) -> None:
        """This source is the station."""
        _, pair = _names(source, station_id)
        self._proven[pair] = None
        self._proven.move_to_end(pair)
        if len(self._proven) > _REMEMBERED:
            self._proven.popitem(last=False)


def _names(source: str | None, station_id: str) -> tuple[str, str]:
    site = neighbourhood(source or "")
    return site, f"{site} {station_id}"
