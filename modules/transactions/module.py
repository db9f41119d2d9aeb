"""The module's table of contents."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from modules.kernel.module import Module, answer, handle_many
from modules.kernel.partitions import keep_partitions, make_partitions
from modules.kernel.work import ModuleContext
from modules.transactions import handlers, routes, tables
from modules.transactions.settings import TransactionsSettings
from shared_contracts.stations import MetersSampled
from shared_contracts.transactions import (
    CloseTransaction,
    JudgeTransactionReport,
    ListOpenTransactions,
    OpenTransaction,
    TransactionReported,
)


@asynccontextmanager
async def _partitions_of_today(context: ModuleContext) -> AsyncIterator[Mapping[type, object]]:
    """Before the first reading arrives it has its place; the service takes care of the following ones."""
    async with context.work() as work:
        await make_partitions(work, tables.meter_values)
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
        handle_many(TransactionReported, handlers.merge_reports),
        handle_many(MetersSampled, handlers.store_samples),
    ),
    services=(keep_partitions(tables.meter_values),),
    resources=_partitions_of_today,
    settings=TransactionsSettings,
)
