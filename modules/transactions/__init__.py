"""Charging transactions of OCPP 1.6 and 2.x in one model: their start, meter readings, stop, energy and reason.

Owns the schema `transactions`. Answers OpenTransaction, CloseTransaction, JudgeTransactionReport and
ListOpenTransactions; publishes TransactionStarted, TransactionUpdated and TransactionEnded; listens to
TransactionReported and MetersSampled.
"""

from modules.transactions.module import module

__all__ = ["module"]
