"""Queries for the starts and stops of OCPP 1.6. All are scoped to the station."""

from sqlalchemy import ColumnElement, and_, exists, literal, select, tuple_, update
from sqlalchemy.dialects import postgresql

from modules.kernel.work import Work
from modules.transactions.domain.transaction import ABANDONED, Transaction
from modules.transactions.repository.rows import COLUMNS, flags_with, is_not_flagged, maybe, read, row_of
from modules.transactions.tables import transactions
from shared_contracts.transactions import TransactionState

_column = transactions.c
_is_open = _column.state == TransactionState.CHARGING


async def open_new(work: Work, transaction: Transaction, start_digest: str) -> bool:
    """Store a new transaction, and flag those it leaves open on its connector: one statement.

    False where `find_begun` has it, or any has the same number; a concurrent start is waited for.
    """
    row = row_of(transaction) | {"start_digest": start_digest}
    values = select(*(literal(value, _column[name].type) for name, value in row.items()))
    new = (
        postgresql.insert(transactions)
        .from_select(list(row), values.where(~exists().where(_is_held_up(transaction, start_digest))))
        .on_conflict_do_nothing()
        .returning(_column.id)
        .cte("new")
    )
    abandoned = (
        update(transactions)
        .where(
            exists(select(new.c.id)),
            _is_open,
            _column.station_id == transaction.station_id,
            _column.connector_id == transaction.connector_id,
            is_not_flagged(ABANDONED),
        )
        .values(flags=flags_with(ABANDONED))
        .cte("abandoned")
    )
    found = await work.execute(select(new.c.id).add_cte(abandoned))
    return found.first() is not None


async def find_begun(work: Work, transaction: Transaction, start_digest: str) -> Transaction | None:
    """The transaction that began with this content and is open, or was when this start was received."""
    begun = and_(_is_open, _column.start_digest == start_digest) | _is_held_up(transaction, start_digest)
    statement = select(*COLUMNS).where(begun).order_by(_is_open.desc()).limit(1)
    return maybe((await work.execute(statement)).mappings().first())


def _is_held_up(transaction: Transaction, start_digest: str) -> ColumnElement[bool]:
    """Transactions that ended only after this start of theirs was received: it was held up on its way to us.

    A station begins the next one when the stop of the last was answered; without a clock both may look alike.
    """
    return and_(
        _column.station_id == transaction.station_id,
        _column.started_at >= transaction.started_at,
        _column.start_digest == start_digest,
        _column.stop_received_at >= transaction.received_at,
    )


async def has_open(work: Work, folded_token: str, *, besides: tuple[str, str] | None = None) -> bool:
    """Whether a transaction is open that was begun with this token, anywhere, `besides` that of a station and ref."""
    conditions = [_is_open, _column.folded_token == folded_token]
    if besides is not None:
        conditions.append(tuple_(_column.station_id, _column.ref) != besides)
    statement = select(exists().where(*conditions))
    return bool((await work.execute(statement)).scalar())


async def lock_by_number(work: Work, station_id: str, number: int) -> Transaction | None:
    """The station's transaction with this number; nobody else changes it until this work is over."""
    statement = select(*COLUMNS).where(_column.station_id == station_id, _column.number == number).with_for_update()
    return maybe((await work.execute(statement)).mappings().first())


async def lock_only_open(work: Work, station_id: str) -> Transaction | None:
    """The station's open transaction, if it has exactly one."""
    statement = select(*COLUMNS).where(_column.station_id == station_id, _is_open).limit(2).with_for_update()
    rows = (await work.execute(statement)).mappings().all()
    return read(rows[0]) if len(rows) == 1 else None


async def was_stopped_by(work: Work, station_id: str, stop_digest: str) -> bool:
    """Whether a stop of this content ended a transaction already."""
    stopped = exists().where(_column.station_id == station_id, _column.stop_digest == stop_digest)
    return bool((await work.execute(select(stopped))).scalar())


async def save(work: Work, transaction: Transaction) -> None:
    """Write everything of a transaction that was locked before."""
    await work.execute(update(transactions).where(_column.id == transaction.id).values(row_of(transaction)))
