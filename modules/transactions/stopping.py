"""A 1.6 station ends charging. Whatever it says is taken: it deletes its copy, or tries in vain until it gives up."""

import structlog

from modules.kernel.work import Work
from modules.transactions import events, judging, metering
from modules.transactions.domain.starts_and_stops import closed, may_be_stopped_unnamed, stop_digest, unmatched
from modules.transactions.domain.transaction import MATCHED_BY_STATION, Transaction
from modules.transactions.repository import reports, samples, starts
from modules.transactions.settings import TransactionsSettings
from shared_contracts.transactions import CloseTransaction, TransactionClosed, TransactionState

log = structlog.get_logger()

UNKNOWN_NUMBER = "unknown_number"
ALREADY_OVER = "already_over"


async def stop(work: Work, message: CloseTransaction) -> TransactionClosed:
    """End the transaction, or keep the report apart where it fits none; repeating it changes nothing."""
    judged = await judging.judge_if_possible(work, message.station_id, message.id_token)
    transaction = await starts.lock_by_number(work, message.station_id, message.number)
    if transaction is None:
        await _stop_unnamed(work, message)
    elif transaction.state is TransactionState.CHARGING:
        await _end(work, closed(transaction, message, rollover_wh=_rollover_wh(work)), message)
    elif transaction.stop_digest == stop_digest(message):
        pass
    elif MATCHED_BY_STATION in transaction.flags:
        await _correct(work, transaction, message)
    else:
        await _keep_apart(work, message, ALREADY_OVER, stop_digest(message))
    if judged is None:
        return TransactionClosed()
    return TransactionClosed(status=judged.status, expires_at=judged.expires_at, group=judged.group)


async def _stop_unnamed(work: Work, message: CloseTransaction) -> None:
    digest = stop_digest(message)
    if await starts.was_stopped_by(work, message.station_id, digest):
        return
    only = await starts.lock_only_open(work, message.station_id)
    if (
        only is not None
        and may_be_stopped_unnamed(only, message)
        and not await reports.is_kept_apart(work, message.station_id, digest)
    ):
        await _end(work, closed(only, message, MATCHED_BY_STATION, rollover_wh=_rollover_wh(work)), message)
    elif not await starts.was_stopped_by(work, message.station_id, digest):  # by its twin, while we waited
        await _keep_apart(work, message, UNKNOWN_NUMBER, digest)


async def _correct(work: Work, transaction: Transaction, message: CloseTransaction) -> None:
    """The stop that names a transaction takes the place of one that was only taken for its own."""
    charging, guess = unmatched(transaction)
    assert transaction.stop_digest is not None
    await _keep_apart(work, guess, UNKNOWN_NUMBER, transaction.stop_digest)
    await _end(work, closed(charging, message, rollover_wh=_rollover_wh(work)), message)


def _rollover_wh(work: Work) -> int | None:
    return work.resource(TransactionsSettings).register_rollover_wh


async def _end(work: Work, transaction: Transaction, message: CloseTransaction) -> None:
    await starts.save(work, transaction)
    rows = metering.records(
        transaction.station_id,
        transaction.ref,
        transaction.evse_id,
        transaction.connector_id,
        message.readings,
        (),
        work.now,
    )
    await samples.store(work, rows)
    ended = events.ended(transaction)
    assert ended is not None
    work.publish(ended, occurred_at=ended.ended_at)


async def _keep_apart(work: Work, message: CloseTransaction, problem: str, digest: str) -> None:
    log.warning("stop_without_transaction", station=message.station_id, number=message.number, problem=problem)
    await reports.keep_unmatched(work, message, problem, digest)
