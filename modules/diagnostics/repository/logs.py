"""Queries on the logs that stations were asked to upload."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, or_, select, update

from modules.diagnostics import tables
from modules.diagnostics.domain import LogRequest
from modules.kernel.work import Work

_LOG = tables.logs.c


async def next_request_id(work: Work) -> int:
    """A number that no other request for a log has (OCPP requestId, 32 bits)."""
    return int((await work.execute(select(tables.log_numbers.next_value()))).scalar_one())


async def add_log_request(work: Work, request: LogRequest) -> None:
    """Record that a log is wanted."""
    await work.execute(insert(tables.logs).values(asdict(request)))


async def set_outcome(work: Work, request: LogRequest) -> LogRequest:
    """Record what became of the command that asks for the log; returns the request as it is now."""
    values = {"command_id": request.command_id, "outcome": request.outcome}
    statement = update(tables.logs).where(_LOG.id == request.id).values(values).returning(*_LOG)
    return _log_request((await work.execute(statement)).one())


async def set_status(work: Work, station_id: str, request_id: int | None, *, status: str, status_at: datetime) -> None:
    """Record what a station said of an upload: of its newest request where it names none (plain OCPP 1.6)."""
    newest = (
        select(_LOG.id)
        .where(_LOG.station_id == station_id)
        .order_by(_LOG.requested_at.desc(), _LOG.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    named = _LOG.id == newest if request_id is None else _LOG.request_id == request_id
    is_news = or_(_LOG.status_at.is_(None), _LOG.status_at <= status_at)
    statement = update(tables.logs).where(_LOG.station_id == station_id, named, is_news)
    await work.execute(statement.values(status=status, status_at=status_at))


async def list_log_requests(
    work: Work, station_id: str, *, before: tuple[datetime, UUID] | None, limit: int
) -> list[LogRequest]:
    """Requests for logs of a station, newest first."""
    statement = select(tables.logs).where(_LOG.station_id == station_id)
    if before is not None:
        at, log_id = before
        statement = statement.where((_LOG.requested_at < at) | ((_LOG.requested_at == at) & (_LOG.id < log_id)))
    statement = statement.order_by(_LOG.requested_at.desc(), _LOG.id.desc()).limit(limit)
    return [_log_request(row) for row in await work.execute(statement)]


async def find_log_request(work: Work, station_id: str, log_id: UUID) -> LogRequest | None:
    """One request for a log of a station."""
    statement = select(tables.logs).where(_LOG.station_id == station_id, _LOG.id == log_id)
    row = (await work.execute(statement)).one_or_none()
    return None if row is None else _log_request(row)


def _log_request(row: Row[Any]) -> LogRequest:
    return LogRequest(**row._mapping)  # noqa: SLF001 -- SQLAlchemy's public name
