"""Queries on the frame log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, DateTime, literal, select, tuple_

from modules.diagnostics import tables
from modules.diagnostics.domain import FrameFilter, StoredFrame
from modules.kernel.work import Work

_FRAME = tables.frames.c
_COPIED = ("station_id", "at", "direction", "text")


async def store_frames(work: Work, rows: Sequence[Sequence[Any]]) -> None:
    """Store frames, given as (station id, at, direction, text)."""
    await work.copy(tables.frames, _COPIED, rows)


async def read_newest_frames(
    work: Work, filtered: FrameFilter, *, before: tuple[datetime, int] | None, limit: int
) -> list[StoredFrame]:
    """Frames of a station that match, newest first, from just before a moment and number."""
    statement = select(_FRAME.at, _FRAME.number, _FRAME.direction, _FRAME.text).where(*_matches(filtered))
    if before is not None:
        at, number = before
        place = tuple_(literal(at, DateTime(timezone=True)), literal(number, BigInteger()))
        statement = statement.where(tuple_(_FRAME.at, _FRAME.number) < place)
    statement = statement.order_by(_FRAME.at.desc(), _FRAME.number.desc()).limit(limit)
    return [StoredFrame(row.at, row.number, row.direction, row.text) for row in await work.execute(statement)]


def _matches(filtered: FrameFilter) -> list[ColumnElement[bool]]:
    conditions = [_FRAME.station_id == filtered.station_id]
    if filtered.direction is not None:
        conditions.append(_FRAME.direction == filtered.direction)
    if filtered.contains is not None:
        conditions.append(_FRAME.text.icontains(filtered.contains, autoescape=True))
    if filtered.since is not None:
        conditions.append(_FRAME.at >= filtered.since)
    if filtered.until is not None:
        conditions.append(_FRAME.at < filtered.until)
    return conditions
