"""Messages in, answers out."""

from collections.abc import Sequence

from modules.kernel.work import Work
from modules.transactions import metering, reporting, starting, stopping
from modules.transactions.repository import browsing, proving
from modules.transactions.sampled import Sampled
from shared_contracts.transactions import (
    CloseTransaction,
    JudgeTransactionReport,
    ListOpenTransactions,
    OpenTransaction,
    OpenTransactionsListed,
    ProveCommit,
    Proven,
    TransactionClosed,
    TransactionOpened,
    TransactionReported,
    TransactionReportJudged,
)


async def open_transaction(message: OpenTransaction, work: Work) -> TransactionOpened:
    """Answer a 1.6 station that began charging. Idempotent by content, while the transaction is open."""
    return await starting.start(work, message)


async def close_transaction(message: CloseTransaction, work: Work) -> TransactionClosed:
    """Answer a 1.6 station that ended charging. Idempotent by content."""
    return await stopping.stop(work, message)


async def judge_report(message: JudgeTransactionReport, work: Work) -> TransactionReportJudged:
    """Answer a 2.x station that reports with an id token. Idempotent, since merging a report twice changes nothing."""
    return await reporting.judge_and_merge(work, message)


async def merge_reports(messages: Sequence[TransactionReported], work: Work) -> None:
    """Take what 2.x stations report, in any order. Idempotent, since merging a report twice changes nothing."""
    await reporting.merge(work, messages)


async def store_samples(messages: Sequence[Sampled], work: Work) -> None:
    """Store meter readings. A reading that is stored twice is shown once."""
    await metering.store(work, messages)


async def list_open(message: ListOpenTransactions, work: Work) -> OpenTransactionsListed:
    """Say which transactions of a driver are open; reads only."""
    found = await browsing.open_of_driver(work, message.driver_id)
    return OpenTransactionsListed(transactions=tuple(found))


async def prove_commit(_: ProveCommit, work: Work) -> Proven:
    """Show a pod that what it asks for would be stored."""
    await proving.write(work)
    return Proven()
