"""/charging-stations/{station_id}/logs"""

from datetime import datetime
from uuid import UUID

from modules.diagnostics import uploads
from modules.diagnostics.errors import LogRequestNotFound
from modules.diagnostics.opened import Opened
from modules.diagnostics.repository import logs
from modules.diagnostics.routes.ids import uuid_of
from modules.diagnostics.schemas.logs import LogRequestView, NewLogRequest
from modules.kernel.http import Call, Created, NoQuery, Page, Paging, decode_cursor, get, page_of, post
from modules.kernel.scopes import Scope
from modules.kernel.work import AfterCommit, Work


async def request_log(call: Call[NoQuery, NewLogRequest], work: Work) -> AfterCommit[Created[LogRequestView]]:
    """Have a station upload a log."""
    request = await uploads.record_log_request(
        work,
        station_id=call.path["station_id"],
        log=call.body.log,
        location=call.body.location,
        oldest_at=call.body.since,
        latest_at=call.body.until,
        requested_by=call.principal.user_id,
    )
    context, trace = work.resource(Opened).context, work.trace

    async def answer() -> Created[LogRequestView]:
        asked = await uploads.ask_station(context, request, trace)
        return Created(LogRequestView.of(asked), f"/charging-stations/{asked.station_id}/logs/{asked.id}")

    return AfterCommit(answer)


async def list_logs(call: Call[Paging, None], work: Work) -> Page[LogRequestView]:
    """List the logs that a station was asked for, newest first."""
    before = decode_cursor(call.query.cursor, datetime, UUID)
    found = await logs.list_log_requests(work, call.path["station_id"], before=before, limit=call.query.limit + 1)
    return page_of(found, call.query, LogRequestView.of, lambda request: (request.requested_at, request.id))


async def get_log(call: Call[NoQuery, None], work: Work) -> LogRequestView:
    """Tell how an upload goes."""
    log_id = uuid_of(call.path["log_id"])
    found = None if log_id is None else await logs.find_log_request(work, call.path["station_id"], log_id)
    if found is None:
        raise LogRequestNotFound
    return LogRequestView.of(found)


_ALL = "/charging-stations/{station_id}/logs"
table = (
    get(_ALL, list_logs, Scope.DIAGNOSTICS_READ),
    get(f"{_ALL}/{{log_id}}", get_log, Scope.DIAGNOSTICS_READ),
    post(_ALL, request_log, Scope.STATIONS_COMMAND),
)
