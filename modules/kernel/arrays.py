"""Many rows in one statement: a column is an array, so that the statement stays the same for any number of rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import TableValuedAlias, bindparam, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine


def given_rows(**columns: TypeEngine[Any]) -> TableValuedAlias:
    """A table of parameters, to be bound with `as_arrays`."""
    parameters = [bindparam(f"given_{name}", type_=ARRAY(kind)) for name, kind in columns.items()]
    return func.unnest(*parameters).table_valued(*columns, name="given").render_derived(name="given")


def as_arrays(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, list[Any]]:
    """The parameters of a statement on `given_rows`."""
    return {f"given_{name}": [row[name] for row in rows] for name in names}
