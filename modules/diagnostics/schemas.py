"""What goes over HTTP."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

import orjson
from pydantic import AwareDatetime, Field, StringConstraints, field_validator
from yarl import URL

from modules.diagnostics.domain import EventFilter, FrameFilter, LogRequest, Replay, Status, StoredEvent, StoredFrame
from modules.diagnostics.status_store import kind_of
from modules.kernel.http import Body, Paging, View
from shared_contracts.message import StationId
from shared_contracts.stations import SecurityEventReported

KeyName = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Kind = Literal["station", "connector", "meter", "firmware", "log", "last_seen"]

_SCHEMES = frozenset({"ftp", "ftps", "sftp", "http", "https"})


class EventsChosen(Body):
    """Which events."""

    key: list[KeyName] = Field(default=[], max_length=50, description="Routing keys; with * at the end, prefixes.")
    station_id: StationId | None = None
    since: AwareDatetime | None = Field(default=None, description="Stored at or after.")
    until: AwareDatetime | None = Field(default=None, description="Stored before.")

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


class NewReplay(Body):
    """Events to send to a module again."""

    to_module: str = Field(max_length=50)
    keys: list[KeyName] = Field(min_length=1, max_length=50, description="Routing keys; with * at the end, prefixes.")
    since: AwareDatetime | None = Field(default=None, description="Stored at or after.")
    until: AwareDatetime | None = Field(default=None, description="Stored before.")


class ReplayView(View):
    """How far a replay has come; `finished_at` is set once all has been sent."""

    id: UUID
    to_module: str
    keys: tuple[str, ...]
    since: datetime | None
    until: datetime | None
    requested_by: str
    requested_at: datetime
    events: int
    sent: int
    finished_at: datetime | None

    @classmethod
    def of(cls, replay: Replay) -> Self:
        """A view of a replay."""
        return cls.model_validate(replay, from_attributes=True)


class SecurityEventsListed(Paging):
    """Which security events."""

    station_id: StationId | None = None
    since: AwareDatetime | None = Field(default=None, description="Stored at or after.")
    until: AwareDatetime | None = Field(default=None, description="Stored before.")

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
        """A view of a stored SecurityEventReported."""
        said = event.envelope().read(SecurityEventReported)
        return cls(
            id=event.id,
            station_id=said.station_id,
            type=said.type,
            tech_info=said.tech_info,
            reported_at=said.reported_at,
            stored_at=event.stored_at,
        )


class FramesChosen(Body):
    """Which frames of a station."""

    direction: Literal["in", "out"] | None = Field(default=None, description="`in` is from the station.")
    contains: str | None = Field(default=None, max_length=200, description="Text in the frame, e.g. an action.")
    since: AwareDatetime | None = Field(default=None, description="At or after.")
    until: AwareDatetime | None = Field(default=None, description="Before.")

    def chosen(self, station_id: str) -> FrameFilter:
        """As the frame log takes it."""
        return FrameFilter(station_id, self.direction, self.contains, self.since, self.until)


class FramesListed(FramesChosen, Paging):
    """Which frames, a page at a time."""


class FramesExported(FramesChosen):
    """Which frames, and how to write them."""

    format: Literal["ndjson", "text"] = "ndjson"


class FrameView(View):
    """An OCPP frame as it was on the wire, secrets taken out."""

    at: datetime
    direction: str
    text: str

    @classmethod
    def of(cls, frame: StoredFrame) -> Self:
        """A view of a frame."""
        return cls(at=frame.at, direction=frame.direction, text=frame.text)


class StatusesListed(Paging):
    """Which statuses."""

    kind: Kind | None = None
    state: str | None = Field(default=None, max_length=50, description="E.g. `faulted` of a connector.")


class StatusView(View):
    """The latest of one item of a station; `values` has what its kind knows."""

    station_id: str
    item: str
    kind: str
    state: str | None
    observed_at: datetime
    values: dict[str, Any]

    @classmethod
    def of(cls, status: Status) -> Self:
        """A view of a status."""
        return cls(
            station_id=status.station_id,
            item=status.item,
            kind=kind_of(status.item),
            state=status.state,
            observed_at=status.observed_at,
            values=dict(status.body),
        )


class StationStatuses(View):
    """All that is known of a station now, by item."""

    items: list[StatusView]


class StreamChosen(Body):
    """What to be sent. Without `last_event_id` (or the header Last-Event-ID) the stream begins now."""

    station_id: StationId | None = None
    types: list[KeyName] = Field(default=[], max_length=50, description="Names of events, e.g. `status`.")
    last_event_id: str | None = Field(default=None, max_length=64)


class NewLogRequest(Body):
    """A log that a station is to upload."""

    log: Literal["diagnostics", "security"] = "diagnostics"
    location: str = Field(max_length=512, description="URL to upload to: ftp, ftps, sftp, http or https.")
    since: AwareDatetime | None = Field(default=None, description="Oldest entry.")
    until: AwareDatetime | None = Field(default=None, description="Newest entry.")

    @field_validator("location")
    @classmethod
    def is_an_upload_url(cls, location: str) -> str:
        """Refuse what is not an absolute URL of a known scheme."""
        url = URL(location)
        if url.scheme not in _SCHEMES or not url.host:
            raise ValueError(f"a URL with one of the schemes {', '.join(sorted(_SCHEMES))}")
        return location


class LogRequestView(View):
    """A log that was asked for: `outcome` is that of the command, `status` the station's last word on the upload."""

    id: UUID
    station_id: str
    log: str
    location: str
    since: datetime | None
    until: datetime | None
    requested_by: str
    requested_at: datetime
    command_id: str | None
    outcome: str | None
    status: str | None
    status_at: datetime | None

    @classmethod
    def of(cls, request: LogRequest) -> Self:
        """A view of a request; credentials in the URL are not shown."""
        return cls(
            id=request.id,
            station_id=request.station_id,
            log=request.log,
            location=str(URL(request.location).with_user(None)),
            since=request.oldest_at,
            until=request.latest_at,
            requested_by=request.requested_by,
            requested_at=request.requested_at,
            command_id=request.command_id,
            outcome=request.outcome,
            status=request.status,
            status_at=request.status_at,
        )
