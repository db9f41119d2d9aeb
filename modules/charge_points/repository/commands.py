"""Commands: few statements, for a command's way to the station and back is waited for."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Row, and_, bindparam, delete, exists, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from modules.charge_points.domain.commands import (
    MAY_HAVE_WORKED,
    OPEN,
    CommandState,
    EffectKind,
    StationCommand,
)
from modules.charge_points.tables import commands, stations
from modules.kernel.work import Work
from shared_contracts.message import first_id_at
from shared_contracts.stations import ReportedVariable

_VARIABLES = TypeAdapter(tuple[ReportedVariable, ...])
_ISSUED = (
    *("command_id", "station_id", "type", "command", "state", "issued_by"),
    *("idempotency_key", "created_at", "deadline_at"),
)
_ANSWER = ("state", "completed_at", "status", "payload", "variables", "error_code", "error_description")
_ADD = (
    insert(commands)
    .from_select(
        _ISSUED,
        select(*(bindparam(f"new_{name}", type_=commands.c[name].type) for name in _ISSUED)).where(
            exists().where(stations.c.station_id == bindparam("new_station_id", type_=stations.c.station_id.type))
        ),
    )
    .on_conflict_do_nothing()
)
_UNFINISHED = commands.c.state.in_((*OPEN, CommandState.TIMED_OUT))
_COMPLETE = (
    update(commands)
    .where(commands.c.command_id == bindparam("which"), _UNFINISHED)
    .values({name: bindparam(f"new_{name}", type_=commands.c[name].type) for name in _ANSWER})
)
_MARK_SENT = (
    update(commands)
    .where(commands.c.command_id == bindparam("which"), commands.c.state == CommandState.QUEUED)
    .values(state=CommandState.SENT, sent_at=bindparam("new_sent_at"))
)


async def add(work: Work, command: StationCommand) -> bool:
    """Store a new command; False if its station is not registered, or its idempotency key was used."""
    values = {f"new_{name}": getattr(command, name) for name in _ISSUED}
    return (await work.execute(_ADD, values)).rowcount == 1


async def mark_sent(work: Work, command_id: str) -> None:
    """The pod has it."""
    await work.execute(_MARK_SENT, {"which": command_id, "new_sent_at": work.now})


async def complete(work: Work, command: StationCommand) -> bool:
    """Store how a command ended; False if that is known already. A late answer replaces `timed_out`."""
    values = {f"new_{name}": getattr(command, name) for name in _ANSWER}
    values["new_variables"] = _VARIABLES.dump_python(command.variables, mode="json", exclude_defaults=True)
    return (await work.execute(_COMPLETE, {"which": command.command_id, **values})).rowcount == 1


async def count(work: Work, station_id: str, kind: str, *, since: datetime) -> int:
    """How many commands of a kind a station was to be sent since then."""
    ours = (commands.c.station_id == station_id, commands.c.type == kind, commands.c.command_id >= first_id_at(since))
    return int((await work.execute(select(func.count()).where(*ours))).scalar_one())


async def give_up(work: Work, *, due_before: datetime) -> Sequence[StationCommand]:
    """End commands whose deadline passed without anybody waiting for the answer any more; returns them."""
    given_up = await work.execute(
        update(commands)
        .where(commands.c.state.in_(OPEN), commands.c.deadline_at < due_before)
        .values(state=CommandState.TIMED_OUT, completed_at=work.now)
        .returning(commands)
    )
    return [_command(row) for row in given_up]


async def forget(work: Work, *, ended_for: timedelta, at_most: int) -> int:
    """Delete commands that ended so long ago, the oldest first: ids sort by time. Returns how many.

    A clock that runs ahead, ours or the database's, deletes nothing early.
    """
    ended_before = func.least(func.now(), work.now) - ended_for
    old = (
        select(commands.c.command_id)
        .where(commands.c.command_id < first_id_at(work.now - ended_for), commands.c.completed_at < ended_before)
        .order_by(commands.c.command_id)
        .limit(at_most)
    )
    return (await work.execute(delete(commands).where(commands.c.command_id.in_(old)))).rowcount


async def find(work: Work, command_id: str) -> StationCommand | None:
    """One command."""
    row = (await work.execute(select(commands).where(commands.c.command_id == command_id))).one_or_none()
    return None if row is None else _command(row)


async def find_by_key(work: Work, station_id: str, idempotency_key: str) -> StationCommand | None:
    """The command that was issued with this key."""
    statement = select(commands).where(
        commands.c.station_id == station_id, commands.c.idempotency_key == idempotency_key
    )
    row = (await work.execute(statement)).one_or_none()
    return None if row is None else _command(row)


async def list_page(
    work: Work, station_id: str, *, states: Collection[CommandState], kind: str | None, before: str | None, limit: int
) -> Sequence[StationCommand]:
    """Commands of a station, newest first: ids sort by time."""
    conditions = [commands.c.station_id == station_id]
    if states:
        conditions.append(commands.c.state.in_(states))
    if kind is not None:
        conditions.append(commands.c.type == kind)
    if before is not None:
        conditions.append(commands.c.command_id < before)
    statement = select(commands).where(*conditions).order_by(commands.c.command_id.desc()).limit(limit)
    return [_command(row) for row in await work.execute(statement)]


async def link_start(
    work: Work,
    station_id: str,
    transaction_id: str,
    *,
    remote_start_id: int | None,
    id_token: str | None,
    not_before: datetime,
) -> None:
    """Link a transaction to the command that asked for it: by its number, or else the newest with its id token."""
    if remote_start_id is not None:
        same = commands.c.command["remote_start_id"].as_string() == str(remote_start_id)
    elif id_token is not None:
        same = and_(
            func.lower(commands.c.command["id_token"].as_string()) == id_token.lower(),
            commands.c.created_at >= not_before,
        )
    else:
        return
    kind = EffectKind.TRANSACTION_STARTED
    await _link(work, station_id, transaction_id, kind, and_(commands.c.type == "start_charging", same))


async def link_end(work: Work, station_id: str, transaction_id: str, transaction_ref: str) -> None:
    """Link the end of a transaction to the command that asked for it in the last day."""
    same = and_(
        commands.c.type == "stop_charging",
        commands.c.command["transaction_ref"].as_string() == transaction_ref,
        commands.c.created_at >= work.now - timedelta(days=1),
    )
    await _link(work, station_id, transaction_id, EffectKind.TRANSACTION_ENDED, same)


async def _link(work: Work, station_id: str, transaction_id: str, kind: EffectKind, same: ColumnElement[bool]) -> None:
    linked = commands.alias("linked")
    already = exists(literal_column("1")).where(
        linked.c.station_id == station_id,
        linked.c.effect_kind == kind,
        linked.c.effect_transaction_id == transaction_id,
    )
    newest = (
        select(commands.c.command_id)
        .where(
            commands.c.station_id == station_id,
            commands.c.state.in_(MAY_HAVE_WORKED),
            commands.c.effect_kind.is_(None),
            same,
            ~already,
        )
        .order_by(commands.c.command_id.desc())
        .limit(1)
    )
    await work.execute(
        update(commands)
        .where(commands.c.command_id == newest.scalar_subquery())
        .values(effect_kind=kind, effect_transaction_id=transaction_id, effect_at=work.now)
    )


def _command(row: Row[Any]) -> StationCommand:
    values = dict(row._mapping)  # noqa: SLF001 -- the public name of SQLAlchemy for a row as a mapping
    kind = values["effect_kind"]
    return StationCommand(
        **{
            **values,
            "state": CommandState(values["state"]),
            "variables": _VARIABLES.validate_python(values["variables"] or ()),
            "effect_kind": None if kind is None else EffectKind(kind),
        }
    )
