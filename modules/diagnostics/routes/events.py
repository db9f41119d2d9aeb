"""/events and /security-events"""

from collections.abc import Callable

from modules.diagnostics import exporting
from modules.diagnostics.domain import EventFilter, StoredEvent
from modules.diagnostics.opened import Opened
from modules.diagnostics.repository import events
from modules.diagnostics.schemas.events import (
    EventsChosen,
    EventsListed,
    EventView,
    SecurityEventsListed,
    SecurityEventView,
)
from modules.kernel.http import Call, Download, Page, Paging, ViewT, decode_cursor, get, page_of
from modules.kernel.scopes import Scope
from modules.kernel.work import Work


async def list_events(call: Call[EventsListed, None], work: Work) -> Page[EventView]:
    """List stored events, newest first."""
    return await _page(call.query, call.query.chosen(), EventView.of, work)


async def export_events(call: Call[EventsChosen, None], work: Work) -> Download:
    """Export stored events, oldest first, as NDJSON."""
    chunks = exporting.events_as_ndjson(work.resource(Opened).context, call.query.chosen())
    return Download(chunks, "application/x-ndjson", "events.ndjson")


async def list_security_events(call: Call[SecurityEventsListed, None], work: Work) -> Page[SecurityEventView]:
    """List security events that stations reported, newest first."""
    return await _page(call.query, call.query.chosen(), SecurityEventView.of, work)


async def _page(paging: Paging, chosen: EventFilter, view: Callable[[StoredEvent], ViewT], work: Work) -> Page[ViewT]:
    (before,) = decode_cursor(paging.cursor, int) or (None,)
    found = await events.read_newest_events(work, chosen, before=before, limit=paging.limit + 1)
    return page_of(found, paging, view, lambda event: (event.position,))


table = (
    get("/events", list_events, Scope.DIAGNOSTICS_READ),
    get("/events/export", export_events, Scope.DIAGNOSTICS_READ),
    get("/security-events", list_security_events, Scope.DIAGNOSTICS_READ),
)
