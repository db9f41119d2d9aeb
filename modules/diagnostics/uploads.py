"""Asks stations to upload their logs, and keeps what became of it."""

from dataclasses import replace
from datetime import datetime
from typing import Literal
from uuid import uuid4

from modules.diagnostics.domain import LogRequest
from modules.diagnostics.errors import StationNotFound
from modules.diagnostics.repository import logs
from modules.kernel.destinations import DestinationRefused
from modules.kernel.secrets import without_user_info
from modules.kernel.work import ModuleContext, Work
from shared_contracts.bus import RequestFailed
from shared_contracts.charge_points import CommandIssued, IssueCommand
from shared_contracts.commands import GetLog
from shared_contracts.message import LONGEST_STATION_ID

_ANSWER_S = 15.0  # the command itself is waited for 10 s


async def record_log_request(
    work: Work,
    *,
    station_id: str,
    log: Literal["diagnostics", "security"],
    location: str,
    oldest_at: datetime | None,
    latest_at: datetime | None,
    requested_by: str,
) -> LogRequest:
    """Store what is to be asked, with a request id of its own, before a station can answer it.

    The credentials in the URL are for the station alone: they are not stored. Raises StationNotFound for what is too
    long to be the id of one.
    """
    if len(station_id) > LONGEST_STATION_ID:
        raise StationNotFound(station_id)
    request = LogRequest(
        id=uuid4(),
        station_id=station_id,
        request_id=await logs.next_request_id(work),
        log=log,
        location=location,
        oldest_at=oldest_at,
        latest_at=latest_at,
        requested_by=requested_by,
        requested_at=work.now,
    )
    await logs.add_log_request(work, replace(request, location=without_user_info(location)))
    return request


async def ask_station(context: ModuleContext, request: LogRequest, trace: str | None) -> LogRequest:
    """Send the command, and record its outcome. Errors as of `Bus.request`; a refusal is recorded as `refused`.

    Raises DestinationRefused.
    """
    command = GetLog(
        log=_log_of(request),
        location=request.location,
        request_id=request.request_id,
        oldest_at=request.oldest_at,
        latest_at=request.latest_at,
    )
    try:
        async with context.work(trace=trace) as work:
            issued = await work.ask(_issue(request, command), timeout=_ANSWER_S)
    except RequestFailed as refusal:
        await _record(context, replace(request, outcome="refused"))
        if refusal.code == DestinationRefused.code:
            raise DestinationRefused(refusal.detail) from refusal
        raise
    return await _record(context, replace(request, command_id=issued.command_id, outcome=_outcome(issued)))


def _log_of(request: LogRequest) -> Literal["diagnostics", "security"]:
    return "security" if request.log == "security" else "diagnostics"


def _issue(request: LogRequest, command: GetLog) -> IssueCommand:
    return IssueCommand(
        station_id=request.station_id,
        command=command,
        issued_by=request.requested_by,
        idempotency_key=f"diagnostics.log:{request.id}",
    )


def _outcome(issued: CommandIssued) -> str | None:
    return None if issued.outcome is None else str(issued.outcome)


async def _record(context: ModuleContext, request: LogRequest) -> LogRequest:
    async with context.work() as work:
        return await logs.set_outcome(work, request)
