"""/statuses and /charging-stations/{station_id}/statuses"""

from modules.diagnostics.opened import Opened
from modules.diagnostics.schemas.statuses import StationStatuses, StatusesListed, StatusView
from modules.kernel.http import Call, NoQuery, Page, decode_cursor, get, page_of
from modules.kernel.scopes import Scope
from modules.kernel.work import Work


async def get_station_statuses(call: Call[NoQuery, None], work: Work) -> StationStatuses:
    """Tell the latest of a station: its connection, connectors, meters, firmware and log uploads."""
    found = await work.resource(Opened).statuses.of_station(call.path["station_id"])
    return StationStatuses(items=[StatusView.of(status) for status in found])


async def list_statuses(call: Call[StatusesListed, None], work: Work) -> Page[StatusView]:
    """List the latest statuses of all stations, by station and item."""
    query = call.query
    after = decode_cursor(query.cursor, str, str)
    store = work.resource(Opened).statuses
    found = await store.page(kind=query.kind, state=query.state, after=after, limit=query.limit + 1)
    return page_of(found, query, StatusView.of, lambda status: (status.station_id, status.item))


table = (
    get("/statuses", list_statuses, Scope.STATIONS_READ),
    get("/charging-stations/{station_id}/statuses", get_station_statuses, Scope.STATIONS_READ),
)
