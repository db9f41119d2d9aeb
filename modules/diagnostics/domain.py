"""What the memory of the system is made of: positions, stored events, frames, statuses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from shared_contracts.message import Envelope

_LARGEST = 2**63 - 1

MOST_NUMBERED = 300
"""Statuses of connectors and meters of a station: as many as 128 connectors have, with some room for a new numbering.

A station that tells of more counts wrong. The first ones stay; those that come later are not kept.
"""

MOST_STATUSES = MOST_NUMBERED + 20
"""So many statuses of one station are shown: more than are kept, unless several processes stored its first at once."""


def parse_position(text: str) -> int | None:
    """Read the position of an event as clients send it; None for what is none."""
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(_LARGEST)):
        return None
    position = int(text)
    return position if position <= _LARGEST else None


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of the event store at a moment: `given` is the last number of an event.

    Numbers are given before a transaction commits, so a lower one may appear after a higher. Up to `settled` this
    cannot happen any more: a reader that goes no further misses none, however late a transaction commits.
    """

    given: int
    settled: int


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it is kept; `payload` is its JSON."""

    position: int
    id: str
    key: str
    station_id: str | None
    occurred_at: datetime
    stored_at: datetime
    cause: str | None
    trace: str | None
    payload: str

    def envelope(self) -> Envelope:
        """The event as it came."""
        return Envelope(
            self.id, self.key, self.station_id, self.occurred_at, self.payload.encode(), self.cause, self.trace
        )


def readable(payload: str) -> str:
    """The payload; or, of an event that somebody published with what is no JSON object, an object that shows it."""
    try:
        if isinstance(orjson.loads(payload), dict):
            return payload
    except orjson.JSONDecodeError:
        pass
    return orjson.dumps({"unreadable": payload}).decode()


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events: any of `names` (keys; with a `*` at the end, prefixes), a station, and when they were stored."""

    names: tuple[str, ...] = ()
    station_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The names that are whole keys."""
        return tuple(name for name in self.names if not name.endswith("*"))

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The beginnings of keys that are asked for."""
        return tuple(name.removesuffix("*") for name in self.names if name.endswith("*"))


@dataclass(frozen=True, slots=True)
class Status:
    """The latest of one thing that changes all the time, e.g. item `connector:1:1` of a station.

    `version` decides which of two is newer, and then the time; `state` is the one word to filter by, `body` has the
    rest.
    """

    station_id: str
    item: str
    state: str | None
    observed_at: datetime
    version: int
    body: Mapping[str, object]

    @property
    def order(self) -> tuple[int, datetime]:
        """The newer of two statuses has the greater."""
        return self.version, self.observed_at

    @property
    def is_numbered(self) -> bool:
        """Whether a station may have any number of such items, as of connectors; not so e.g. of `firmware`."""
        return ":" in self.item


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """One OCPP frame; `number` tells frames of the same moment apart."""

    at: datetime
    number: int
    direction: str
    text: str


@dataclass(frozen=True, slots=True)
class FrameFilter:
    """Which frames of a station; `contains` is text that a frame holds, e.g. the name of an action."""

    station_id: str
    direction: str | None = None
    contains: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """A request to the API that would change something; `parameters` is the JSON of those in its path.

    `status` None: it took effect, and its answer was still to come.
    """

    request_id: str
    requested_at: datetime
    method: str
    route: str
    source: str
    trace: str
    user_id: str | None
    role: str | None
    api_key_id: str | None
    parameters: str
    status: int | None
    code: str | None
    count: int
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which records of the audit trail."""

    user_id: str | None = None
    api_key_id: str | None = None
    source: str | None = None
    method: str | None = None
    route: str | None = None
    status: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Replay:
    """Stored events on their way to one module again: those after `after` up to `last` are still to be sent."""

    id: UUID
    requested_by: str
    requested_at: datetime
    to_module: str
    keys: Sequence[str]
    since: datetime | None
    until: datetime | None
    events: int
    sent: int
    after: int
    last: int
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class LogRequest:
    """A station was asked to upload a log; `status` is its last word on it (OCPP's), `outcome` that of the command."""

    id: UUID
    station_id: str
    request_id: int
    log: str
    location: str
    oldest_at: datetime | None
    latest_at: datetime | None
    requested_by: str
    requested_at: datetime
    command_id: str | None = None
    outcome: str | None = None
    status: str | None = None
    status_at: datetime | None = None
