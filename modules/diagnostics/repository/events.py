"""Queries on the event store."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, func, literal, not_, or_, select, tuple_

from modules.diagnostics import tables
from modules.diagnostics.domain import START, EventFilter, Position, StoredEvent
from modules.kernel.work import Work

NOTIFICATIONS = "diagnostics_events"
"""The channel on which a trigger says that events were stored."""

_EVENT = tables.events.c
_COPIED = ("id", "key", "station_id", "occurred_at", "cause", "trace", "payload")
_EVENT_COLUMNS = (
    _EVENT.xid,
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
_OLDEST_UNDER_WAY = func.pg_snapshot_xmin(func.pg_current_snapshot(), type_=tables.Xid8())
_OWN_XID = func.pg_current_xact_id(type_=tables.Xid8())
_SLACK = timedelta(minutes=1)  # statements end after 30 s: by so much may a transaction take its number late


async def store_events(work: Work, rows: Sequence[Sequence[Any]]) -> None:
    """Store events, given as (id, key, station id, occurred at, cause, trace, payload)."""
    await work.copy(tables.events, _COPIED, rows)


async def oldest_under_way(work: Work) -> int:
    """The number of the oldest transaction that is under way: no event will be stored before `Position.before` it."""
    return int((await work.execute(select(_OLDEST_UNDER_WAY))).scalar_one())


async def own_xid(work: Work) -> int:
    """The number of this work's transaction, which is above those of all that have begun to write before."""
    return int((await work.execute(select(_OWN_XID))).scalar_one())


async def read_tail(work: Work, after: Position, limit: int) -> tuple[list[StoredEvent], bool]:
    """The next settled events, oldest first, and whether later ones wait for an older transaction to end."""
    statement = (
        select(*_EVENT_COLUMNS, _EVENT.xid < _OLDEST_UNDER_WAY)
        .where(_is_after(after))
        .order_by(_EVENT.xid, _EVENT.offset)
        .limit(limit)
    )
    rows = (await work.execute(statement)).all()
    return [_event(row) for row in rows if row[-1]], any(not row[-1] for row in rows)


async def read_events(
    work: Work, filtered: EventFilter, *, after: Position, until: Position, limit: int
) -> list[StoredEvent]:
    """Events that match, after one position and up to and including another, oldest first."""
    if filtered.since is not None and after == START:
        after = await _shortly_before(work, filtered.since)
    statement = (
        select(*_EVENT_COLUMNS)
        .where(*_matches(filtered), _is_after(after), not_(_is_after(until)))
        .order_by(_EVENT.xid, _EVENT.offset)
        .limit(limit)
    )
    return [_event(row) for row in await work.execute(statement)]


async def read_newest_events(
    work: Work, filtered: EventFilter, *, before: Position | None, limit: int
) -> list[StoredEvent]:
    """Events that match, newest first, from just before a position."""
    statement = select(*_EVENT_COLUMNS).where(*_matches(filtered))
    if before is not None:
        statement = statement.where(_position() < _literal(before))
    statement = statement.order_by(_EVENT.xid.desc(), _EVENT.offset.desc()).limit(limit)
    return [_event(row) for row in await work.execute(statement)]


async def count_events(work: Work, filtered: EventFilter, *, until: Position) -> int:
    """How many events up to a position match."""
    statement = select(func.count()).where(*_matches(filtered), not_(_is_after(until)))
    return int((await work.execute(statement)).scalar_one())


def _event(row: Sequence[Any]) -> StoredEvent:
    return StoredEvent(Position(row[0], row[1]), *row[2:10])


def _position() -> ColumnElement[Any]:
    return tuple_(_EVENT.xid, _EVENT.offset)


def _literal(position: Position) -> ColumnElement[Any]:
    return tuple_(literal(position.xid, tables.Xid8()), literal(position.offset, BigInteger()))


def _is_after(position: Position) -> ColumnElement[bool]:
    return _position() > _literal(position)


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


async def _shortly_before(work: Work, since: datetime) -> Position:
    """A position before all events stored at or after `since`, and not much before: spares reading the rest."""
    for span in (timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)):
        statement = (
            select(_EVENT.xid)
            .where(_EVENT.stored_at >= since - _SLACK - span, _EVENT.stored_at < since - _SLACK)
            .order_by(_EVENT.stored_at.desc())
            .limit(1)
        )
        xid = (await work.execute(statement)).scalar()
        if xid is not None:
            return Position.before(xid)
    return START
