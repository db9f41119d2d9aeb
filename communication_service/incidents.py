"""Tells the system of security incidents, a few a minute however many there are: an attacker must not flood us."""

import asyncio
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from communication_service.metrics import INCIDENTS
from shared_contracts.bus import Bus
from shared_contracts.message import Envelope
from shared_contracts.security import IncidentKind, IncidentNoticed

log = structlog.get_logger()

_AGAIN_S = 60.0
_MOST_PER_MINUTE = 30  # of a kind, so that a flood of one hides no other
_REMEMBERED = 10_000


@dataclass(slots=True)
class _Told:
    at: float
    since: int = 0


class Incidents:
    """Publishes an incident of each kind and station at most once a minute, counting the rest."""

    def __init__(self, bus: Bus, pod_id: str) -> None:
        self._bus = bus
        self._pod_id = pod_id
        self._told: OrderedDict[tuple[IncidentKind, str], _Told] = OrderedDict()
        self._minute = 0.0
        self._this_minute: Counter[IncidentKind] = Counter()

    def notice(
        self, kind: IncidentKind, *, station_id: str | None = None, source: str | None = None, detail: str = ""
    ) -> None:
        """Count an incident, and tell of it unless one like it was told of just now."""
        INCIDENTS.labels(kind).inc()
        told = self._turn(kind, station_id or detail)
        if told is None:
            return
        count, told.since = told.since + 1, 0
        event = IncidentNoticed(
            kind=kind,
            station_id=station_id,
            pod_id=self._pod_id,
            remote_address=source,
            detail=detail,
            count=count,
            noticed_at=datetime.now(UTC),
        )
        log.warning(
            "security_incident", kind=kind, station=station_id, source=source, detail=detail or None, count=count
        )
        self._bus.publish(Envelope.of(event)).add_done_callback(_forget_failure)

    def _turn(self, kind: IncidentKind, about: str) -> _Told | None:
        """What to tell with if it is time to, else None. Of duplicates all are told: the other pods count them, too."""
        now = time.monotonic()
        told = self._told.get((kind, about))
        if told is not None and now < told.at + _AGAIN_S and kind is not IncidentKind.DUPLICATE_CONNECTION:
            told.since += 1
            return None
        if now >= self._minute + 60:
            self._minute = now
            self._this_minute.clear()
        self._this_minute[kind] += 1
        if self._this_minute[kind] > _MOST_PER_MINUTE:
            return None
        if told is None:
            told = self._told[kind, about] = _Told(now)
            if len(self._told) > _REMEMBERED:
                self._told.popitem(last=False)
        told.at = now
        return told


def _forget_failure(done: asyncio.Future[None]) -> None:
    """The log has it; in an outage the event is not worth more."""
    if not done.cancelled():
        done.exception()
