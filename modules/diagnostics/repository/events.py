"""Queries on the event store."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, text

from modules.diagnostics import tables
from modules.diagnostics.domain import Bounds, EventFilter, StoredEvent, readable
from modules.kernel.work import Work

NOTIFICATIONS = "diagnostics_events"
"""The channel on which a trigger says that events were stored."""

_EVENT = tables.events.c
_COPIED = ("id", "key", "station_id", "occurred_at", "cause", "trace", "payload")
_EVENT_COLUMNS = (
    _EVENT.offset,
    _EVENT.id,
    _EVENT.key,
    _EVENT.station_id,
    _EVENT.occurred_at,
    _EVENT.stored_at,
    _EVENT.cause,
    _EVENT.trace,
    _EVENT.payload,
)
_BOUNDS = text("SELECT given, settled FROM diagnostics.event_bounds()")
_SLACK = timedelta(minutes=1)  # statements end after 30 s: by so much may a number be given after the time was taken


async def store_events(work: Work, rows: Sequence[Sequence[Any]]) -> None:
    """Store events, given as (id, key, station id, occurred at, cause, trace, payload)."""
    await work.copy(tables.events, _COPIED, rows)


async def bounds(work: Work) -> Bounds:
    """Up to where events are, and up to where they are settled. Only statements after this one may rely on it."""
    row = (await work.execute(_BOUNDS)).one()
    return Bounds(row.given, row.settled)


async def are_kept(work: Work, after: int) -> bool:
    """Whether all events after the position of an event are still there. They are dropped in order, oldest first."""
    known = select(_EVENT.offset).where(_EVENT.offset == after).limit(1)
    if (await work.execute(known)).scalar() is not None:
        return True
    oldest = (await work.execute(select(func.min(_EVENT.offset)))).scalar()
    return (await bounds(work)).given <= after if oldest is None else int(oldest) <= after


async def read_events(work: Work, filtered: EventFilter, *, after: int, until: int, limit: int) -> list[StoredEvent]:
    """Events that match, after one position and up to and including another, oldest first."""
    if filtered.since is not None and not after:
        after = await _shortly_before(work, filtered.since)
    statement = (
        select(*_EVENT_COLUMNS)
        .where(*_matches(filtered), _EVENT.offset > after, _EVENT.offset <= until)
        .order_by(_EVENT.offset)
        .limit(limit)
    )
    return [_event(row) for row in await work.execute(statement)]


async def read_newest_events(work: Work, filtered: EventFilter, *, before: int | None, limit: int) -> list[StoredEvent]:
    """Events that match, newest first, from just before a position."""
    statement = select(*_EVENT_COLUMNS).where(*_matches(filtered))
    if before is not None:
        statement = statement.where(_EVENT.offset < before)
    statement = statement.order_by(_EVENT.offset.desc()).limit(limit)
    return [_event(row) for row in await work.execute(statement)]


async def count_events(work: Work, filtered: EventFilter, *, until: int) -> int:
    """How many events up to a position match."""
    statement = select(func.count()).where(*_matches(filtered), _EVENT.offset <= until)
    return int((await work.execute(statement)).scalar_one())


def _event(row: Sequence[Any]) -> StoredEvent:
    return StoredEvent(row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7], readable(row[8]))


def _matches(filtered: EventFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filtered.names:
        prefixed = [_EVENT.key.startswith(prefix, autoescape=True) for prefix in filtered.prefixes]
        conditions.append(or_(_EVENT.key.in_(filtered.keys), *prefixed))
    if filtered.station_id is not None:
        conditions.append(_EVENT.station_id == filtered.station_id)
    if filtered.since is not None:
        conditions.append(_EVENT.stored_at >= filtered.since)
    if filtered.until is not None:
        conditions.append(_EVENT.stored_at < filtered.until)
    return conditions


async def _shortly_before(work: Work, since: datetime) -> int:
    """A position before all events stored at or after `since`, and not much before: spares reading the rest."""
    for span in (timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)):
        statement = (
            select(_EVENT.offset)
            .where(_EVENT.stored_at >= since - _SLACK - span, _EVENT.stored_at < since - _SLACK)
            .order_by(_EVENT.stored_at.desc())
            .limit(1)
        )
        offset = (await work.execute(statement)).scalar()
        if offset is not None:
            return int(offset)
    return 0
