"""The quarantine of one schema."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import MetaData, func, insert, select, update

from management_service.quarantine.domain import Quarantined, State
from modules.kernel.work import Work
from shared_contracts.message import Envelope

_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows: those for which everything given holds; `until` is exclusive."""

    station_id: str | None = None
    key: str | None = None
    state: State | None = None
    since: datetime | None = None
    until: datetime | None = None


class QuarantineStore:
    """Every statement on the table `quarantine` of a module's schema."""

    def __init__(self, metadata: MetaData) -> None:
        self._table = metadata.tables[f"{metadata.schema}.quarantine"]

    async def set_aside(self, work: Work, body: bytes, reason: str, envelope: Envelope | None = None) -> None:
        """Keep a body, or the payload of an envelope."""
        row: dict[str, Any] = {"body": body, "reason": sayable(reason)}
        if envelope is not None:
            row |= {"key": sayable(envelope.key), "header": envelope.header()}
            row |= {"station_id": envelope.station_id and sayable(envelope.station_id)}
        await work.execute(insert(self._table).values(row))

    async def browse(self, work: Work, wanted: Wanted, *, before: int | None, limit: int) -> list[Quarantined]:
        """The newest first, after the row with the id `before`."""
        column = self._table.c
        statement = select(self._table).order_by(column.id.desc()).limit(limit)
        for name in ("station_id", "key", "state"):
            if (value := getattr(wanted, name)) is not None:
                statement = statement.where(column[name] == value)
        if wanted.since is not None:
            statement = statement.where(column.quarantined_at >= wanted.since)
        if wanted.until is not None:
            statement = statement.where(column.quarantined_at < wanted.until)
        if before is not None:
            statement = statement.where(column.id < before)
        return [_read(row) for row in (await work.execute(statement)).mappings()]

    async def find(self, work: Work, row_id: int, *, to_change: bool = False) -> Quarantined | None:
        """One row; `to_change` keeps it from others until the end of the work."""
        statement = select(self._table).where(self._table.c.id == row_id)
        if to_change:
            statement = statement.with_for_update()
        row = (await work.execute(statement)).mappings().first()
        return None if row is None else _read(row)

    async def change(self, work: Work, row: Quarantined, *, by: str, **values: Any) -> Quarantined:
        """Change some fields; returns the row as it is then."""
        changed = {"revision": row.revision + 1, "changed_at": work.now, "changed_by": by, **values}
        await work.execute(update(self._table).where(self._table.c.id == row.id).values(changed))
        return replace(row, **changed)

    async def count_waiting(self, work: Work) -> int:
        """How many nobody has dealt with."""
        statement = select(func.count()).select_from(self._table).where(self._table.c.state == State.WAITING)
        return int((await work.execute(statement)).scalar_one())


def sayable(text: str) -> str:
    """A text as a column can hold it, whoever made it up."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:_CHARACTERS]


def _read(row: Mapping[Any, Any]) -> Quarantined:
    return Quarantined(**{**row, "state": State(row["state"])})
