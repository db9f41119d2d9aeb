"""Queries for what 2.x stations report, and for the stops of 1.6 that fit no transaction."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, exists, select, text, update
from sqlalchemy.dialects.postgresql import insert

from modules.kernel.work import Work
from modules.transactions.domain.transaction import ABANDONED, Transaction
from modules.transactions.repository.rows import COLUMNS, NAMES, flags_with, is_not_flagged, read, row_of
from modules.transactions.tables import reports, transactions
from shared_contracts.message import new_id
from shared_contracts.transactions import CloseTransaction, TransactionState

Key = tuple[str, str]
"""Station and the id that it uses."""

_column = transactions.c
_lock = (
    select(*COLUMNS)
    .where(text("(station_id, ref) IN (SELECT * FROM unnest(CAST(:stations AS text[]), CAST(:refs AS text[])))"))
    .order_by(_column.station_id, _column.ref)
    .with_for_update()
)


async def lock(work: Work, keys: Collection[Key]) -> dict[Key, Transaction]:
    """The transactions of these keys that exist, kept from others until this work is over; always in one order."""
    parameters = {"stations": [key[0] for key in keys], "refs": [key[1] for key in keys]}
    found = [read(row) for row in (await work.execute(_lock, parameters)).mappings()]
    return {transaction.key: transaction for transaction in found}


async def add(work: Work, new: Sequence[Transaction]) -> set[Key]:
    """Store new transactions; those that another work stored meanwhile are missing from the answer."""
    statement = (
        insert(transactions)
        .values([row_of(transaction) for transaction in sorted(new, key=lambda item: item.key)])
        .on_conflict_do_nothing()
        .returning(_column.station_id, _column.ref)
    )
    return {(row.station_id, row.ref) for row in await work.execute(statement)}


_save = (
    update(transactions)
    .where(_column.id == bindparam("this_id"))
    .values({name: bindparam(name) for name in (*NAMES, "folded_token") if name != "id"})
)


async def save(work: Work, changed: Sequence[Transaction]) -> None:
    """Write transactions that were locked before."""
    rows: list[dict[str, Any]] = [row_of(transaction) for transaction in changed]
    if rows:
        await work.execute(_save, [row | {"this_id": row.pop("id")} for row in rows])


async def flag_abandoned(work: Work, by: Transaction) -> None:
    """Flag the older transactions that are still open on the EVSE where this one began."""
    await work.execute(
        update(transactions)
        .where(
            _column.station_id == by.station_id,
            _column.state == TransactionState.CHARGING,
            _column.evse_id == by.evse_id,
            _column.started_at < by.started_at,
            _column.id != by.id,
            is_not_flagged(ABANDONED),
        )
        .values(flags=flags_with(ABANDONED))
    )


@dataclass(frozen=True, slots=True)
class UnmatchedReport:
    """A stop that fits no transaction of its station, kept for an operator to look at."""

    id: str
    station_id: str
    problem: str
    number: int
    id_token: str | None
    meter_stop_wh: int
    stopped_at: datetime
    received_at: datetime
    reason: str
    flags: list[str]


_REPORT = [reports.c[name] for name in UnmatchedReport.__dataclass_fields__]


async def keep_unmatched(work: Work, message: CloseTransaction, problem: str, digest: str) -> None:
    """Keep a stop that fits no transaction; a repeat of it is kept once."""
    row = {column.name: getattr(message, column.name, None) for column in reports.columns}
    row |= {"id": new_id(), "problem": problem, "digest": digest, "flags": list(message.flags)}
    await work.execute(insert(reports).values(row).on_conflict_do_nothing())


async def is_kept_apart(work: Work, station_id: str, digest: str) -> bool:
    """Whether a stop of this content fitted no transaction before."""
    kept = exists().where(reports.c.station_id == station_id, reports.c.digest == digest)
    return bool((await work.execute(select(kept))).scalar())


async def browse_unmatched(
    work: Work, *, station_id: str | None, before: str | None, limit: int
) -> list[UnmatchedReport]:
    """Unmatched stops, the newest first; `before` is the id where the previous page ended."""
    statement = select(*_REPORT).order_by(reports.c.id.desc()).limit(limit)
    if station_id is not None:
        statement = statement.where(reports.c.station_id == station_id)
    if before is not None:
        statement = statement.where(reports.c.id < before)
    rows: Iterable[Any] = (await work.execute(statement)).mappings()
    return [UnmatchedReport(**row) for row in rows]
