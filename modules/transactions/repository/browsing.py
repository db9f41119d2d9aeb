"""Queries of those who look at transactions."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select, tuple_

from modules.kernel.work import Work
from modules.transactions.domain.transaction import Transaction
from modules.transactions.repository.rows import COLUMNS, maybe, read
from modules.transactions.tables import transactions
from shared_contracts.transactions import TransactionState

_column = transactions.c
_is_open = _column.state == TransactionState.CHARGING


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which transactions: those for which everything given holds. Times are of the start; `until` is exclusive."""

    driver_id: str | None = None
    station_id: str | None = None
    folded_token: str | None = None
    state: TransactionState | None = None
    open: bool | None = None
    started_since: datetime | None = None
    started_until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL."""
        equal = {
            _column.driver_id: self.driver_id,
            _column.station_id: self.station_id,
            _column.folded_token: self.folded_token,
            _column.state: self.state,
        }
        found = [column == value for column, value in equal.items() if value is not None]
        if self.open is not None:
            found.append(_is_open if self.open else ~_is_open)
        if self.started_since is not None:
            found.append(_column.started_at >= self.started_since)
        if self.started_until is not None:
            found.append(_column.started_at < self.started_until)
        return found


async def browse(work: Work, wanted: Wanted, *, before: tuple[datetime, str] | None, limit: int) -> list[Transaction]:
    """Transactions, the latest start first; `before` is the start and id where the previous page ended."""
    statement = (
        select(*COLUMNS).where(*wanted.conditions()).order_by(_column.started_at.desc(), _column.id.desc()).limit(limit)
    )
    if before is not None:
        statement = statement.where(tuple_(_column.started_at, _column.id) < before)
    return [read(row) for row in (await work.execute(statement)).mappings()]


async def find(work: Work, transaction_id: str, *, driver_id: str | None) -> Transaction | None:
    """The transaction with this id, if the driver may see it; None for the driver sees all."""
    statement = select(*COLUMNS).where(_column.id == transaction_id, *Wanted(driver_id=driver_id).conditions())
    return maybe((await work.execute(statement)).mappings().first())


async def open_of_driver(work: Work, driver_id: str) -> list[tuple[str, str]]:
    """Station and ref of the driver's open transactions."""
    statement = select(_column.station_id, _column.ref).where(*Wanted(driver_id=driver_id, open=True).conditions())
    return [(row.station_id, row.ref) for row in await work.execute(statement)]
