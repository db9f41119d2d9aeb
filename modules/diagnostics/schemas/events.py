"""Events, and the stream of them."""

from datetime import datetime
from typing import Annotated, Any, Self

import orjson
from pydantic import Field, StringConstraints, ValidationError

from modules.diagnostics.domain import EventFilter, StoredEvent
from modules.kernel.http import Body, Moment, Paging, View
from shared_contracts.message import StationId
from shared_contracts.stations import SecurityEventReported

KeyName = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class EventsChosen(Body):
    """Which events."""

    key: list[KeyName] = Field(default=[], max_length=50, description="Routing keys; with * at the end, prefixes.")
    station_id: StationId | None = None
    since: Moment | None = Field(default=None, description="Stored at or after.")
    until: Moment | None = Field(default=None, description="Stored before.")

    def chosen(self) -> EventFilter:
        """As the event store takes it."""
        return EventFilter(tuple(self.key), self.station_id, self.since, self.until)


class EventsListed(EventsChosen, Paging):
    """Which events, a page at a time."""


class EventView(View):
    """An event as it was published. `position` orders all events, and resumes the stream."""

    position: str
    id: str
    key: str
    station_id: str | None
    occurred_at: datetime
    stored_at: datetime
    cause: str | None
    trace: str | None
    payload: dict[str, Any]

    @classmethod
    def of(cls, event: StoredEvent) -> Self:
        """A view of an event."""
        return cls(
            position=str(event.position),
            id=event.id,
            key=event.key,
            station_id=event.station_id,
            occurred_at=event.occurred_at,
            stored_at=event.stored_at,
            cause=event.cause,
            trace=event.trace,
            payload=orjson.loads(event.payload),
        )


class SecurityEventsListed(Paging):
    """Which security events."""

    station_id: StationId | None = None
    since: Moment | None = Field(default=None, description="Stored at or after.")
    until: Moment | None = Field(default=None, description="Stored before.")

    def chosen(self) -> EventFilter:
        """As the event store takes it."""
        return EventFilter((SecurityEventReported.key,), self.station_id, self.since, self.until)


class SecurityEventView(View):
    """A security event of a station."""

    id: str
    station_id: str
    type: str
    tech_info: str | None
    reported_at: datetime
    stored_at: datetime

    @classmethod
    def of(cls, event: StoredEvent) -> Self:
        """A view of a stored SecurityEventReported; one that is none shows what it says."""
        try:
            said = event.envelope().read(SecurityEventReported)
        except ValidationError:
            return cls(
                id=event.id,
                station_id=event.station_id or "",
                type="unreadable",
                tech_info=event.payload,
                reported_at=event.occurred_at,
                stored_at=event.stored_at,
            )
        return cls(
            id=event.id,
            station_id=said.station_id,
            type=said.type,
            tech_info=said.tech_info,
            reported_at=said.reported_at,
            stored_at=event.stored_at,
        )


class StreamChosen(Body):
    """What to be sent. Without `last_event_id` (or the header Last-Event-ID) the stream begins now."""

    station_id: StationId | None = None
    types: list[KeyName] = Field(default=[], max_length=50, description="Names of events, e.g. `status`.")
    last_event_id: str | None = Field(default=None, max_length=64)
