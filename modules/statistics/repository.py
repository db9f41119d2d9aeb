"""Every query on the schema `statistics`."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, func, literal, select
from sqlalchemy.dialects.postgresql import insert

from modules.kernel.work import Work
from modules.statistics.domain import Figures, Grouping, Session
from modules.statistics.tables import sessions

_session = sessions.c
_SUMS = (
    func.count().label("sessions"),
    func.count().filter(_session.failed).label("failed"),
    func.count().filter(_session.suspect).label("suspect"),
    func.coalesce(func.sum(_session.energy_wh), 0).label("energy_wh"),
    func.coalesce(func.sum(_session.duration_s), 0).label("duration_s"),
)
_COLUMNS = {Grouping.STATION: "station_id", Grouping.ID_TOKEN: "id_token", Grouping.DAY: "day"}


@dataclass(frozen=True, slots=True)
class Span:
    """Which sessions to count: those for which everything given holds. `until` is exclusive."""

    since: date | None = None
    until: date | None = None
    station_id: str | None = None
    id_token: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL."""
        found: list[ColumnElement[bool]] = []
        if self.since is not None:
            found.append(_session.day >= self.since)
        if self.until is not None:
            found.append(_session.day < self.until)
        if self.station_id is not None:
            found.append(_session.station_id == self.station_id)
        if self.id_token is not None:
            found.append(_session.id_token == self.id_token)
        return found


async def record(work: Work, ended: Iterable[Session]) -> None:
    """Store sessions; of one transaction the highest revision stays, whatever the order."""
    newest: dict[str, Session] = {}
    for session in ended:
        known = newest.get(session.transaction_id)
        if known is None or known.revision <= session.revision:
            newest[session.transaction_id] = session
    if not newest:
        return
    statement = insert(sessions).values([asdict(newest[key]) for key in sorted(newest)])
    new = statement.excluded
    await work.execute(
        statement.on_conflict_do_update(
            index_elements=[_session.transaction_id],
            set_={column.name: new[column.name] for column in sessions.columns},
            where=_session.revision <= new.revision,
        )
    )


async def total(work: Work, span: Span) -> Figures:
    """The sums over all sessions of a span."""
    found = await work.execute(select(literal("").label("of"), *_SUMS).where(*span.conditions()))
    return _figures(found.one())


async def grouped(
    work: Work, by: Grouping, span: Span, *, after: str | None = None, limit: int | None = None
) -> list[Figures]:
    """The sums for each group, in the order of the groups; `after` is the group where the previous page ended."""
    group = _session[_COLUMNS[by]]
    statement = select(group.label("of"), *_SUMS).where(*span.conditions()).group_by(group).order_by(group)
    if after is not None:
        statement = statement.where(group > (date.fromisoformat(after) if by is Grouping.DAY else after))
    return [_figures(row) for row in await work.execute(statement.limit(limit))]


def _figures(row: Row[Any]) -> Figures:
    """Sums are `numeric` in PostgreSQL: a few absurd readings cannot make them overflow."""
    return Figures(
        of=str(row.of),
        sessions=row.sessions,
        failed=row.failed,
        suspect=row.suspect,
        energy_wh=int(row.energy_wh),
        duration_s=int(row.duration_s),
    )
