"""Queries on watermarks: how far each process has brought its events into the status store."""

from datetime import timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from modules.diagnostics import tables
from modules.kernel.work import Work

_MARK = tables.watermarks.c


async def begin_watermark(work: Work, projector: str, position: int) -> None:
    """Record, with its first events, that a process projects; a mark that is there stays."""
    statement = insert(tables.watermarks).values(projector=projector, offset=position)
    await work.execute(statement.on_conflict_do_nothing())


async def move_watermark(work: Work, projector: str, position: int) -> None:
    """Record that all events of this process up to a position are in the status store."""
    statement = insert(tables.watermarks).values(projector=projector, offset=position)
    moved = {"offset": position, "moved_at": func.now()}
    await work.execute(statement.on_conflict_do_update(index_elements=[_MARK.projector], set_=moved))


async def touch_watermark(work: Work, projector: str) -> None:
    """Record that a process lives, though it cannot write what it has."""
    await work.execute(update(tables.watermarks).where(_MARK.projector == projector).values(moved_at=func.now()))


async def oldest_watermark(work: Work, *, idle: timedelta) -> tuple[int, tuple[str, ...]] | None:
    """The oldest mark and the projectors, of processes that have not moved theirs for this long."""
    statement = select(_MARK.projector, _MARK.offset).where(_MARK.moved_at <= func.now() - idle)
    rows = (await work.execute(statement)).all()
    return (min(row.offset for row in rows), tuple(row.projector for row in rows)) if rows else None


async def remove_watermarks(work: Work, projectors: tuple[str, ...], *, idle: timedelta) -> None:
    """Forget processes that are gone, unless they have moved their mark within `idle`."""
    statement = delete(tables.watermarks)
    await work.execute(statement.where(_MARK.projector.in_(projectors), _MARK.moved_at <= func.now() - idle))
