"""/stream"""

from modules.diagnostics.domain import parse_position
from modules.diagnostics.errors import EventsNotKept
from modules.diagnostics.opened import Opened
from modules.diagnostics.repository import events
from modules.diagnostics.schemas.events import StreamChosen
from modules.diagnostics.stream import NAMES, DriverView, Selection, follow
from modules.kernel.errors import InvalidRequest
from modules.kernel.http import Call, EventStream, get
from modules.kernel.scopes import Scope
from modules.kernel.work import Work
from shared_contracts.transactions import ListOpenTransactions


async def stream_events(call: Call[StreamChosen, None], work: Work) -> EventStream:
    """Follow what happens, as server-sent events.

    `event` is the type, `id` resumes the stream, `data` has key, station_id, occurred_at and payload. The stream ends
    now and then: come back with Last-Event-ID, as browsers do by themselves. A driver gets their own transactions,
    and the meters of these. 410 tells that events after the given id are not kept any more: begin anew without it.
    """
    names = frozenset(call.query.types)
    if unknown := names - frozenset(NAMES.values()):
        raise _invalid("types", f"unknown: {', '.join(sorted(unknown))}")
    given = call.last_event_id or call.query.last_event_id
    after = parse_position(given) if given else None
    if given and after is None:
        raise _invalid("last_event_id", "not one of ours")
    driver = await _driver_view(call.principal.driver_id, work)
    if after and not await events.are_kept(work, after):
        raise EventsNotKept
    selection = Selection(station_id=call.query.station_id, names=names or None, driver=driver)
    return EventStream(follow(work.resource(Opened).feed, selection, after=after))


async def _driver_view(driver_id: str | None, work: Work) -> DriverView | None:
    if driver_id is None:
        return None
    charging = await work.ask(ListOpenTransactions(driver_id=driver_id))
    return DriverView(driver_id, charging.transactions)


def _invalid(field: str, message: str) -> InvalidRequest:
    return InvalidRequest(f"{field}: {message}", errors=[{"field": field, "message": message}])


table = (get("/stream", stream_events, Scope.STREAM_READ, problems=(410,)),)
