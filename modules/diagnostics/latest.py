"""The statuses that changed since they were last written, and the service that writes them about every second.

Handlers only lay envelopes aside here: what they say is read when it is written, once per item. So a station that
reports ten times a second costs one write a second, and a store that is down costs memory for one status per item,
and for no more connectors and meters of a station than the store keeps, while the events go on. What a crash loses of
this is read again from the event store, see `status_writer`.
"""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice

import structlog
from pydantic import ValidationError

from modules.diagnostics.domain import MOST_NUMBERED, Status
from modules.diagnostics.projection import PROJECTED, Projection
from modules.diagnostics.removed_stations import RemovedStations
from shared_contracts.charge_points import StationRemoved
from shared_contracts.message import Envelope
from shared_contracts.stations import MetersSampled, StationConnected

log = structlog.get_logger()

_UNREAD = 2000
_AT_ONCE = 200  # 2 ms of reading
_READINGS = b'"readings"'

TAKEN = PROJECTED | {StationRemoved.key}
"""The keys of the events that change a status."""


class Latest:
    """Gathers what changed; `changed` gives it out until `written` says that it is stored.

    Of the stations in `removed` nothing is gathered; what is stored of them is to go.
    """

    def __init__(self) -> None:
        self._projection = Projection()
        self._unread: dict[object, Envelope] = {}
        self._changed: dict[str, dict[str, Status]] = {}
        self._reading = asyncio.Lock()
        self.removed = RemovedStations()

    def take(self, envelopes: Iterable[Envelope]) -> None:
        """Lay aside what says something of a status; under a microsecond each."""
        unread = self._unread
        for envelope in envelopes:
            if envelope.key in TAKEN:
                unread[_subject(envelope)] = envelope
        if len(unread) > _UNREAD and not self._reading.locked():
            unread, self._unread = self._unread, {}
            self._read(unread.values())

    async def changed(self) -> list[Status]:
        """Every status that is not written yet, the newest of each item. Lets others run in between."""
        async with self._reading:
            envelopes = iter(self._unread.values())
            self._unread = {}
            try:
                while some := list(islice(envelopes, _AT_ONCE)):
                    self._read(some)
                    await asyncio.sleep(0)
            finally:
                self._read(envelopes)  # cancelled: the rest is not to be lost
        return [status for items in self._changed.values() for status in items.values()]

    def written(self, statuses: Sequence[Status]) -> None:
        """Forget what is stored now, unless it has changed meanwhile."""
        for status in statuses:
            items = self._changed.get(status.station_id, {})
            if items.get(status.item) is status:
                del items[status.item]
                if not items:
                    del self._changed[status.station_id]

    def _read(self, envelopes: Iterable[Envelope]) -> None:
        for envelope in envelopes:
            try:
                self._read_one(envelope)
            except ValidationError as error:
                log.warning("status_not_read", key=envelope.key, id=envelope.id, error=str(error))

    def _read_one(self, envelope: Envelope) -> None:
        if envelope.key == StationRemoved.key:
            self._remove(envelope.read(StationRemoved).station_id, envelope.occurred_at)
            return
        if envelope.key == StationConnected.key:
            self.removed.come_back(envelope.read(StationConnected).station_id)
        for status in self._projection.statuses(envelope):
            self._keep(status)

    def _remove(self, station_id: str, at: datetime) -> None:
        self.removed.remove(station_id, at)
        self._changed.pop(station_id, None)

    def _keep(self, status: Status) -> None:
        if status.station_id in self.removed:
            return
        items = self._changed.setdefault(status.station_id, {})
        kept = items.get(status.item)
        if kept is None:
            if len(items) < MOST_NUMBERED or not status.is_numbered:
                items[status.item] = status
        elif kept.order < status.order:
            items[status.item] = status


def _subject(envelope: Envelope) -> object:
    """What an event replaces when a later one comes with the same subject.

    Of meter samples, the text before the readings: station, EVSE, connector and transaction. Two events that have it in
    common differ in their readings only, and the later ones are what counts. Everything else is kept.
    """
    if envelope.key == MetersSampled.key:
        return envelope.station_id, envelope.payload.partition(_READINGS)[0]
    return envelope.id
