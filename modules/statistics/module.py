"""The module's table of contents."""

from modules.kernel.module import Module, handle_many
from modules.statistics import handlers, routes, tables
from shared_contracts.transactions import TransactionEnded

module = Module(
    name="statistics",
    tables=tables.metadata,
    routes=routes.table,
    handlers=(handle_many(TransactionEnded, handlers.count_ended),),
)
