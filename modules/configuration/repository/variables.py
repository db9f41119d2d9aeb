"""Variables and changes to them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    DateTime,
    Integer,
    Row,
    Text,
    and_,
    delete,
    func,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert

from modules.configuration.domain.variables import MOST_VARIABLES, Change, Variable, VariableKey
from modules.configuration.tables import changes, variables
from modules.kernel.arrays import as_arrays, given_rows
from modules.kernel.work import Work
from shared_contracts.commands import CommandOutcome

_KEY = VariableKey._fields
_TIME = DateTime(timezone=True)
_KEY_TYPES: Mapping[str, Any] = {name: variables.c[name].type for name in _KEY}
_KNOWN = given_rows(station_id=Text(), **_KEY_TYPES, value=Text(), read_only=Boolean(), known_at=_TIME)
_CHANGED = given_rows(
    command_id=Text(),
    position=Integer(),
    station_id=Text(),
    **_KEY_TYPES,
    new_value=Text(),
    outcome=Text(),
    status=Text(),
    asked_by=Text(),
    answered_at=_TIME,
)


async def store(work: Work, known: Collection[Variable]) -> None:
    """Store values that are not older than what is known; of a station no more than `MOST_VARIABLES`."""
    given = _KNOWN.c
    names = [column.name for column in given]
    rows = [
        {**variable.key._asdict(), **{name: getattr(variable, name) for name in names if name not in _KEY}}
        for variable in sorted(known, key=lambda variable: (variable.station_id, variable.key))
    ]
    statement = insert(variables).from_select(names, _few_enough(names))
    old, new = variables.c, statement.excluded
    changed = {
        "value": new.value,
        "read_only": or_(old.read_only, new.read_only),
        "known_at": new.known_at,
    }
    await work.execute(
        statement.on_conflict_do_update(
            index_elements=["station_id", *_KEY], set_=changed, where=old.known_at <= new.known_at
        ),
        as_arrays(rows, names),
    )


def _few_enough(names: Sequence[str]) -> Any:
    """The given variables without those that are new and too many."""
    given, old = _KNOWN.c, variables.alias("old").c
    same = and_(old.station_id == given.station_id, *(old[name] == given[name] for name in _KEY))
    stored = variables.alias("stored")
    already = select(func.count()).select_from(stored).where(stored.c.station_id == given.station_id).scalar_subquery()
    rank = func.row_number().over(partition_by=given.station_id)
    ranked = (
        select(
            *(given[name] for name in names),
            old.station_id.is_not(None).label("is_old"),
            (already + rank).label("count"),
        )
        .join_from(_KNOWN, old.station_id.table, same, isouter=True)
        .subquery("ranked")
    )
    return select(*(ranked.c[name] for name in names)).where(or_(ranked.c.is_old, ranked.c.count <= MOST_VARIABLES))


async def store_changes(work: Work, done: Sequence[Change]) -> None:
    """Store changes, each with the value that the variable has before; one that is stored stays as it is."""
    given = _CHANGED.c
    names = [column.name for column in given]
    rows = [
        {**change.key._asdict(), **{name: getattr(change, name) for name in names if name not in _KEY}}
        for change in done
    ]
    old_value = (
        select(variables.c.value)
        .where(variables.c.station_id == given.station_id, *(variables.c[name] == given[name] for name in _KEY))
        .scalar_subquery()
    )
    asked = select(*(given[name] for name in names), old_value)
    statement = insert(changes).from_select([*names, "old_value"], asked).on_conflict_do_nothing()
    await work.execute(statement, as_arrays(rows, names))


async def list_variables(
    work: Work,
    station_id: str,
    *,
    component: str | None,
    text: str | None,
    after: VariableKey | None,
    limit: int,
) -> Sequence[Variable]:
    """Variables in the order of their keys."""
    conditions: list[ColumnElement[bool]] = [variables.c.station_id == station_id]
    if component is not None:
        conditions.append(func.lower(variables.c.component) == component.lower())
    if text is not None:
        conditions.append(or_(*(variables.c[name].icontains(text, autoescape=True) for name in ("component", "name"))))
    keys = [variables.c[name] for name in _KEY]
    if after is not None:
        conditions.append(tuple_(*keys) > tuple_(*after))
    statement = select(variables).where(*conditions).order_by(*keys).limit(limit)
    return [_variable(row) for row in await work.execute(statement)]


async def list_changes(work: Work, station_id: str, *, before: tuple[str, int] | None, limit: int) -> Sequence[Change]:
    """Changes, the newest first."""
    order = (changes.c.command_id, changes.c.position)
    statement = select(changes).where(changes.c.station_id == station_id)
    if before is not None:
        statement = statement.where(tuple_(*order) < tuple_(*before))
    rows = await work.execute(statement.order_by(*(column.desc() for column in order)).limit(limit))
    return [_change(row) for row in rows]


async def changes_of(work: Work, command_id: str) -> Sequence[Change]:
    """What one command changed, in the order asked."""
    statement = select(changes).where(changes.c.command_id == command_id).order_by(changes.c.position)
    return [_change(row) for row in await work.execute(statement)]


async def forget(work: Work, station_id: str, *, until: datetime) -> None:
    """Remove what became known of a station until then."""
    for table, at in ((variables, variables.c.known_at), (changes, changes.c.answered_at)):
        await work.execute(delete(table).where(table.c.station_id == station_id, at <= until))


def _key(row: Row[Any]) -> VariableKey:
    return VariableKey(*(getattr(row, name) for name in _KEY))


def _variable(row: Row[Any]) -> Variable:
    return Variable(row.station_id, _key(row), row.value, row.read_only, row.known_at)


def _change(row: Row[Any]) -> Change:
    return Change(
        station_id=row.station_id,
        command_id=row.command_id,
        position=row.position,
        key=_key(row),
        old_value=row.old_value,
        new_value=row.new_value,
        outcome=CommandOutcome(row.outcome),
        status=row.status,
        asked_by=row.asked_by,
        answered_at=row.answered_at,
    )
