"""Transactions as rows and back."""

from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, RowMapping, Text, cast
from sqlalchemy.dialects.postgresql import ARRAY

from modules.transactions.domain.facts import Facts
from modules.transactions.domain.transaction import Transaction
from modules.transactions.tables import transactions
from shared_contracts.authorization import TokenStatus, fold_token
from shared_contracts.transactions import TransactionState

NAMES = tuple(field.name for field in fields(Transaction))
COLUMNS = [transactions.c[name] for name in NAMES]

_facts = TypeAdapter(Facts)


def row_of(transaction: Transaction) -> dict[str, Any]:
    """The columns of a transaction, `start_digest` apart."""
    row: dict[str, Any] = {name: getattr(transaction, name) for name in NAMES}
    row["flags"] = list(transaction.flags)
    row["folded_token"] = None if transaction.id_token is None else fold_token(transaction.id_token)
    row["facts"] = None if transaction.facts is None else _facts.dump_json(transaction.facts).decode()
    return row


def read(row: RowMapping) -> Transaction:
    """The transaction in a row that has all of `COLUMNS`."""
    values = {name: row[name] for name in NAMES}
    values["flags"] = tuple(row["flags"])
    values["state"] = TransactionState(row["state"])
    values["authorization"] = None if row["authorization"] is None else TokenStatus(row["authorization"])
    values["facts"] = None if row["facts"] is None else _facts.validate_json(row["facts"])
    return Transaction(**values)


def maybe(row: RowMapping | None) -> Transaction | None:
    """The transaction in a row that may be missing."""
    return None if row is None else read(row)


def is_not_flagged(flag: str) -> ColumnElement[bool]:
    """Transactions without this flag."""
    return ~transactions.c.flags.contains([flag])


def flags_with(flag: str) -> ColumnElement[list[str]]:
    """The flags of a transaction and one more."""
    return transactions.c.flags + cast([flag], ARRAY(Text))
