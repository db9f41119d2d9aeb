"""The audit trail: added to, read, and never changed, which the database sees to."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, exists, insert, or_, select

from modules.diagnostics.domain import AuditFilter, AuditRecord
from modules.diagnostics.tables import audit_records
from modules.kernel.arrays import as_arrays, given_rows
from modules.kernel.work import Work

_record = audit_records.c
_NAMES = AuditRecord.__slots__
_COLUMNS = [_record[name] for name in _NAMES]
_given = given_rows(**{name: _record[name].type for name in _NAMES})
_stored = audit_records.alias("stored")
_same = exists().where(
    _stored.c.request_id == _given.c.request_id, _stored.c.status.is_not_distinct_from(_given.c.status)
)
_ADD = insert(audit_records).from_select(_NAMES, select(*(_given.c[name] for name in _NAMES)).where(~_same))
_later = audit_records.alias("later")
_is_answered = exists().where(_later.c.request_id == _record.request_id, _later.c.status.is_not(None))


async def add_records(work: Work, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store records; one that is there already, because it was published twice, is not stored again."""
    await work.execute(_ADD, as_arrays(rows, _NAMES))


async def read_newest_records(
    work: Work, filtered: AuditFilter, *, before: str | None, limit: int
) -> list[AuditRecord]:
    """Records that match, newest first, from just before a request id; one for each request.

    A record without a status is shown only where no later one says how the request ended.
    """
    statement = select(*_COLUMNS).where(or_(_record.status.is_not(None), ~_is_answered), *_matches(filtered))
    if before is not None:
        statement = statement.where(_record.request_id < before)
    statement = statement.order_by(_record.request_id.desc()).limit(limit)
    return [AuditRecord(**row) for row in (await work.execute(statement)).mappings()]


def _matches(filtered: AuditFilter) -> list[ColumnElement[bool]]:
    names = ("user_id", "api_key_id", "source", "method", "route", "status")
    given = {name: getattr(filtered, name) for name in names}
    conditions = [_record[name] == value for name, value in given.items() if value is not None]
    if filtered.since is not None:
        conditions.append(_record.requested_at >= filtered.since)
    if filtered.until is not None:
        conditions.append(_record.requested_at < filtered.until)
    return conditions
