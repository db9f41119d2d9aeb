"""The HTTP API of diagnostics."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from modules.diagnostics import exporting, replaying, uploads
from modules.diagnostics.domain import EventFilter, LogRequest, StoredEvent, parse_position
from modules.diagnostics.errors import LogRequestNotFound, ReplayNotFound
from modules.diagnostics.opened import Opened
from modules.diagnostics.repository import events, frames, logs, replays
from modules.diagnostics.schemas import (
    EventsChosen,
    EventsListed,
    EventView,
    FramesExported,
    FramesListed,
    FrameView,
    LogRequestView,
    NewLogRequest,
    NewReplay,
    ReplayView,
    SecurityEventsListed,
    SecurityEventView,
    StationStatuses,
    StatusesListed,
    StatusView,
    StreamChosen,
)
from modules.diagnostics.stream import NAMES, DriverView, Selection, follow
from modules.kernel.errors import InvalidRequest
from modules.kernel.http import (
    Call,
    Created,
    Download,
    EventStream,
    NoQuery,
    Page,
    Paging,
    ViewT,
    decode_cursor,
    encode_cursor,
    get,
    post,
)
from modules.kernel.scopes import Scope
from modules.kernel.work import AfterCommit, Work
from shared_contracts.transactions import ListOpenTransactions

T = TypeVar("T")


async def list_events(call: Call[EventsListed, None], work: Work) -> Page[EventView]:
    """List stored events, newest first."""
    return await _event_page(call.query, call.query.chosen(), EventView.of, work)


async def export_events(call: Call[EventsChosen, None], work: Work) -> Download:
    """Export stored events, oldest first, as NDJSON."""
    chunks = exporting.events_as_ndjson(work.resource(Opened).context, call.query.chosen())
    return Download(chunks, "application/x-ndjson", "events.ndjson")


async def start_replay(call: Call[NoQuery, NewReplay], work: Work) -> Created[ReplayView]:
    """Send stored events to a module again.

    They follow in order, in the background. The module treats them as repeats: nothing is counted twice.
    """
    replay = await replaying.begin_replay(
        work,
        to_module=call.body.to_module,
        keys=call.body.keys,
        since=call.body.since,
        until=call.body.until,
        requested_by=call.principal.user_id,
    )
    return Created(ReplayView.of(replay), f"/events/replays/{replay.id}")


async def list_replays(call: Call[Paging, None], work: Work) -> Page[ReplayView]:
    """List replays, newest first."""
    found = await replays.list_replays(work, before=_moment(call.query.cursor), limit=call.query.limit + 1)
    return _page(
        found, call.query, ReplayView.of, lambda last: encode_cursor(last.requested_at.isoformat(), str(last.id))
    )


async def get_replay(call: Call[NoQuery, None], work: Work) -> ReplayView:
    """Tell how far a replay has come."""
    replay_id = _uuid(call.path["replay_id"])
    replay = None if replay_id is None else await replays.find_replay(work, replay_id)
    if replay is None:
        raise ReplayNotFound
    return ReplayView.of(replay)


async def list_security_events(call: Call[SecurityEventsListed, None], work: Work) -> Page[SecurityEventView]:
    """List security events that stations reported, newest first."""
    return await _event_page(call.query, call.query.chosen(), SecurityEventView.of, work)


async def list_frames(call: Call[FramesListed, None], work: Work) -> Page[FrameView]:
    """List the OCPP frames of a station, newest first."""
    cursor = decode_cursor(call.query.cursor, str, int)
    before = None if cursor is None else (_time(cursor[0]), cursor[1])
    chosen = call.query.chosen(call.path["station_id"])
    found = await frames.read_newest_frames(work, chosen, before=before, limit=call.query.limit + 1)
    return _page(found, call.query, FrameView.of, lambda last: encode_cursor(last.at.isoformat(), last.number))


async def export_frames(call: Call[FramesExported, None], work: Work) -> Download:
    """Export the OCPP frames of a station, newest first, as NDJSON or text."""
    context, chosen = work.resource(Opened).context, call.query.chosen(call.path["station_id"])
    if call.query.format == "text":
        return Download(exporting.frames_as_text(context, chosen), "text/plain; charset=utf-8", "frames.txt")
    return Download(exporting.frames_as_ndjson(context, chosen), "application/x-ndjson", "frames.ndjson")


async def get_station_statuses(call: Call[NoQuery, None], work: Work) -> StationStatuses:
    """Tell the latest of a station: its connection, connectors, meters, firmware and log uploads."""
    found = await work.resource(Opened).statuses.of_station(call.path["station_id"])
    return StationStatuses(items=[StatusView.of(status) for status in found])


async def list_statuses(call: Call[StatusesListed, None], work: Work) -> Page[StatusView]:
    """List the latest statuses of all stations, by station and item."""
    query = call.query
    cursor = decode_cursor(query.cursor, str, str)
    after = None if cursor is None else (cursor[0], cursor[1])
    store = work.resource(Opened).statuses
    found = await store.page(kind=query.kind, state=query.state, after=after, limit=query.limit + 1)
    return _page(found, query, StatusView.of, lambda last: encode_cursor(last.station_id, last.item))


async def stream_events(call: Call[StreamChosen, None], work: Work) -> EventStream:
    """Follow what happens, as server-sent events.

    `event` is the type, `id` resumes the stream, `data` has key, station_id, occurred_at and payload. The stream ends
    now and then: come back with Last-Event-ID, as browsers do by themselves. A driver gets their own transactions,
    and the meters of these.
    """
    names = frozenset(call.query.types)
    if unknown := names - frozenset(NAMES.values()):
        raise _invalid("types", f"unknown: {', '.join(sorted(unknown))}")
    given = call.last_event_id or call.query.last_event_id
    after = parse_position(given) if given else None
    if given and after is None:
        raise _invalid("last_event_id", "not one of ours")
    driver = await _driver_view(call.principal.driver_id, work)
    selection = Selection(station_id=call.query.station_id, names=names or None, driver=driver)
    return EventStream(follow(work.resource(Opened).feed, selection, after=after))


async def request_log(call: Call[NoQuery, NewLogRequest], work: Work) -> AfterCommit[Created[LogRequestView]]:
    """Have a station upload a log."""
    request = await uploads.record_log_request(
        work,
        station_id=call.path["station_id"],
        log=call.body.log,
        location=call.body.location,
        oldest_at=call.body.since,
        latest_at=call.body.until,
        requested_by=call.principal.user_id,
    )
    context = work.resource(Opened).context

    async def answer() -> Created[LogRequestView]:
        asked = await uploads.ask_station(context, request)
        return Created(LogRequestView.of(asked), f"/charging-stations/{asked.station_id}/logs/{asked.id}")

    return AfterCommit(answer)


async def list_logs(call: Call[Paging, None], work: Work) -> Page[LogRequestView]:
    """List the logs that a station was asked for, newest first."""
    found = await logs.list_log_requests(
        work, call.path["station_id"], before=_moment(call.query.cursor), limit=call.query.limit + 1
    )
    return _page(
        found, call.query, LogRequestView.of, lambda last: encode_cursor(last.requested_at.isoformat(), str(last.id))
    )


async def get_log(call: Call[NoQuery, None], work: Work) -> LogRequestView:
    """Tell how an upload goes."""
    log_id = _uuid(call.path["log_id"])
    found: LogRequest | None = None
    if log_id is not None:
        found = await logs.find_log_request(work, call.path["station_id"], log_id)
    if found is None:
        raise LogRequestNotFound
    return LogRequestView.of(found)


async def _event_page(
    paging: Paging, chosen: EventFilter, view: Callable[[StoredEvent], ViewT], work: Work
) -> Page[ViewT]:
    cursor = decode_cursor(paging.cursor, str)
    before = None if cursor is None else parse_position(cursor[0])
    if cursor is not None and before is None:
        raise _invalid("cursor", "unknown")
    found = await events.read_newest_events(work, chosen, before=before, limit=paging.limit + 1)
    return _page(found, paging, view, lambda last: encode_cursor(str(last.position)))


def _page(found: Sequence[T], paging: Paging, view: Callable[[T], ViewT], cursor: Callable[[T], str]) -> Page[ViewT]:
    """A page of what was found with one item more than asked for."""
    shown = found[: paging.limit]
    return Page(items=list(map(view, shown)), next_cursor=cursor(shown[-1]) if len(found) > len(shown) else None)


async def _driver_view(driver_id: str | None, work: Work) -> DriverView | None:
    if driver_id is None:
        return None
    charging = await work.ask(ListOpenTransactions(driver_id=driver_id))
    return DriverView(driver_id, charging.transactions)


def _moment(cursor: str | None) -> tuple[datetime, UUID] | None:
    position = decode_cursor(cursor, str, str)
    if position is None:
        return None
    found = _uuid(position[1])
    if found is None:
        raise _invalid("cursor", "unknown")
    return _time(position[0]), found


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise _invalid("cursor", "unknown")
    return moment


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _invalid(field: str, message: str) -> InvalidRequest:
    return InvalidRequest(f"{field}: {message}", errors=[{"field": field, "message": message}])


_READ = Scope.DIAGNOSTICS_READ
table = (
    get("/events", list_events, _READ),
    get("/events/export", export_events, _READ),
    get("/events/replays", list_replays, _READ),
    get("/events/replays/{replay_id}", get_replay, _READ),
    post("/events/replays", start_replay, Scope.DIAGNOSTICS_WRITE),
    get("/security-events", list_security_events, _READ),
    get("/statuses", list_statuses, Scope.STATIONS_READ),
    get("/charging-stations/{station_id}/statuses", get_station_statuses, Scope.STATIONS_READ),
    get("/charging-stations/{station_id}/frames", list_frames, _READ),
    get("/charging-stations/{station_id}/frames/export", export_frames, _READ),
    get("/charging-stations/{station_id}/logs", list_logs, _READ),
    get("/charging-stations/{station_id}/logs/{log_id}", get_log, _READ),
    post("/charging-stations/{station_id}/logs", request_log, Scope.STATIONS_COMMAND),
    get("/stream", stream_events, Scope.STREAM_READ),
)
