"""Stations that were removed: what is known of them goes, and what still comes late of them is not kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

LATE = timedelta(minutes=1)
"""For so long a pod may still tell of a station that was removed: that its connection ended, when it was last seen."""


@dataclass(frozen=True, slots=True)
class Removal:
    """What was observed of the station up to `before` is to go, from `due_at` on."""

    station_id: str
    before: datetime
    due_at: datetime
    is_last: bool = False


class RemovedStations:
    """Each station is removed twice: at once, and when what other processes wrote late of it is there too."""

    def __init__(self) -> None:
        self._removals: dict[str, Removal] = {}
        self._away: set[str] = set()

    def remove(self, station_id: str, at: datetime) -> None:
        """The station was removed."""
        self._removals[station_id] = Removal(station_id, at, at)
        self._away.add(station_id)

    def come_back(self, station_id: str) -> None:
        """The station connected again: what is told of it from now on counts."""
        self._away.discard(station_id)
        if station_id in self._removals and self._removals[station_id].is_last:
            del self._removals[station_id]

    def __contains__(self, station_id: str) -> bool:
        """Whether nothing that is told of the station counts."""
        return station_id in self._away

    def due(self, now: datetime) -> Sequence[Removal]:
        """What is to be carried out now."""
        return [removal for removal in self._removals.values() if removal.due_at <= now]

    def done(self, removal: Removal) -> None:
        """It was carried out."""
        station_id = removal.station_id
        if self._removals.get(station_id) is not removal:
            return
        if removal.is_last or station_id not in self._away:
            del self._removals[station_id]
            self._away.discard(station_id)
        else:
            again_at = removal.before + LATE
            self._removals[station_id] = Removal(station_id, again_at, again_at, is_last=True)
