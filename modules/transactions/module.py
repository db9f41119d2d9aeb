"""The module's table of contents."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from modules.kernel.module import Module, answer, handle_many, handle_many_read
from modules.kernel.partitions import Partitioned, keep_partitions, make_all
from modules.kernel.work import ModuleContext
from modules.transactions import handlers, routes, sampled, tables
from modules.transactions.settings import TransactionsSettings
from shared_contracts.stations import MetersSampled
from shared_contracts.transactions import (
    CloseTransaction,
    JudgeTransactionReport,
    ListOpenTransactions,
    OpenTransaction,
    ProveCommit,
    TransactionReported,
)

_METER_VALUES = Partitioned(tables.meter_values, lambda settings: settings.samples_kept_days)


@asynccontextmanager
async def _partitions_of_today(context: ModuleContext) -> AsyncIterator[Mapping[type, object]]:
    """Before the first reading arrives it has its place; the service takes care of the following ones."""
    await make_all(context, _METER_VALUES)
    yield {}


module = Module(
    name="transactions",
    tables=tables.metadata,
    routes=routes.table,
    handlers=(
        answer(OpenTransaction, handlers.open_transaction),
        answer(CloseTransaction, handlers.close_transaction),
        answer(JudgeTransactionReport, handlers.judge_report),
        answer(ListOpenTransactions, handlers.list_open),
        answer(ProveCommit, handlers.prove_commit),
        handle_many(TransactionReported, handlers.merge_reports),
        handle_many_read(MetersSampled, handlers.store_samples, read=sampled.read),
    ),
    services=(keep_partitions(_METER_VALUES),),
    resources=_partitions_of_today,
    settings=TransactionsSettings,
)
