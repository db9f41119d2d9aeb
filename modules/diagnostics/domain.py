"""What the memory of the system is made of: positions, stored events, frames, statuses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from shared_contracts.message import Envelope

_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the event store: the transaction that stored the event, then its number.

    Events are read in this order, and only up to the oldest transaction that is still under way; so a reader
    that remembers its position misses none, however late a transaction commits.
    """

    xid: int
    offset: int

    @classmethod
    def before(cls, xid: int) -> Self:
        """After everything that transactions older than `xid` stored."""
        return cls(max(xid - 1, 0), _LARGEST)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read what `str` gave out; None for anything else."""
        parts = text.split(".")
        if len(parts) != 2 or not all(part.isalnum() and part.isascii() and len(part) <= 16 for part in parts):
            return None
        try:
            position = cls(int(parts[0], 16), int(parts[1], 16))
        except ValueError:
            return None
        return position if max(position.xid, position.offset) <= _LARGEST else None

    def __str__(self) -> str:
        return f"{self.xid:x}.{self.offset:x}"


START = Position(0, 0)
"""Before every event."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it is kept; `payload` is its JSON."""

    position: Position
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

    `version` decides which of two is newer; `state` is the one word to filter by, `body` has the rest.
    """

    station_id: str
    item: str
    state: str | None
    observed_at: datetime
    version: int
    body: Mapping[str, object]


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
class Replay:
    """Stored events on their way to one module again; `sent` of (at least) `events` are."""

    id: UUID
    requested_by: str
    requested_at: datetime
    to_module: str
    keys: Sequence[str]
    since: datetime | None
    until: datetime | None
    events: int
    sent: int
    after: Position
    before_xid: int
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
