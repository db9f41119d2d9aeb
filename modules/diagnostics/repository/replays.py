"""Queries on replays."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, text, update

from modules.diagnostics import tables
from modules.diagnostics.domain import Replay
from modules.kernel.work import Work

_REPLAY = tables.replays.c
_COLUMNS = (
    _REPLAY.id,
    _REPLAY.requested_by,
    _REPLAY.requested_at,
    _REPLAY.to_module,
    _REPLAY["keys"],
    _REPLAY.since,
    _REPLAY.until,
    _REPLAY.events,
    _REPLAY.sent,
    _REPLAY.after,
    _REPLAY.last,
    _REPLAY.finished_at,
)


async def add_replay(work: Work, replay: Replay) -> None:
    """Record a replay that is to begin."""
    values = {
        "id": replay.id,
        "requested_by": replay.requested_by,
        "requested_at": replay.requested_at,
        "to_module": replay.to_module,
        "keys": list(replay.keys),
        "since": replay.since,
        "until": replay.until,
        "events": replay.events,
        "last": replay.last,
    }
    await work.execute(insert(tables.replays).values(values))


async def take_open_replay(work: Work) -> Replay | None:
    """The oldest replay that is not finished, locked for this work; None where another process has it."""
    statement = (
        select(*_COLUMNS)
        .where(_REPLAY.finished_at.is_(None))
        .order_by(_REPLAY.requested_at, _REPLAY.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = (await work.execute(statement)).one_or_none()
    return None if row is None else _replay(row)


async def move_replay(work: Work, replay: Replay, *, finished_at: datetime | None) -> None:
    """Record how far a replay has come."""
    values = {"sent": replay.sent, "after": replay.after, "finished_at": finished_at}
    await work.execute(update(tables.replays).where(_REPLAY.id == replay.id).values(values))


async def find_replay(work: Work, replay_id: UUID) -> Replay | None:
    """One replay."""
    row = (await work.execute(select(*_COLUMNS).where(_REPLAY.id == replay_id))).one_or_none()
    return None if row is None else _replay(row)


async def list_replays(work: Work, *, before: tuple[datetime, UUID] | None, limit: int) -> list[Replay]:
    """Replays, newest first."""
    statement = select(*_COLUMNS)
    if before is not None:
        at, replay_id = before
        statement = statement.where(
            (_REPLAY.requested_at < at) | ((_REPLAY.requested_at == at) & (_REPLAY.id < replay_id))
        )
    statement = statement.order_by(_REPLAY.requested_at.desc(), _REPLAY.id.desc()).limit(limit)
    return [_replay(row) for row in await work.execute(statement)]


async def count_outgoing(work: Work, *, at_most: int) -> int:
    """How many events wait in the outbox to be published."""
    waiting = select(text("1")).select_from(tables.metadata.tables["diagnostics.outbox"]).limit(at_most).subquery()
    return int((await work.execute(select(func.count()).select_from(waiting))).scalar_one())


def _replay(row: Sequence[Any]) -> Replay:
    return Replay(
        *(row[0], row[1], row[2], row[3], row[4], row[5]),
        *(row[6], row[7], row[8], row[9], row[10], row[11]),
    )
