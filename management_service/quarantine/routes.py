"""The API of the quarantine: the host serves it for each module that it hosts, below /quarantine/{module}."""

from dataclasses import replace
from typing import Any

import orjson

from management_service.quarantine.desk import Desk
from management_service.quarantine.domain import Quarantined
from management_service.quarantine.errors import NotInQuarantine
from management_service.quarantine.schemas import (
    Correction,
    QuarantinedDetail,
    QuarantinedView,
    QuarantineFilter,
)
from management_service.quarantine.store import Wanted
from modules.kernel.errors import PreconditionFailed
from modules.kernel.http import Call, NoQuery, Page, Route, decode_cursor, get, page_of, patch, post
from modules.kernel.scopes import Scope
from modules.kernel.work import Work

_LARGEST = 2**63 - 1


async def list_quarantined(call: Call[QuarantineFilter, None], work: Work) -> Page[QuarantinedView]:
    """List what a module could not handle, the newest first."""
    query, desk = call.query, work.resource(Desk)
    wanted = Wanted(query.station_id, query.key, query.state, query.since, query.until)
    (before,) = decode_cursor(query.cursor, int) or (None,)
    found = await desk.store.browse(work, wanted, before=before, limit=query.limit + 1)
    return page_of(found, query, lambda row: QuarantinedView.of(desk.module, row), lambda row: (row.id,))


async def get_quarantined(call: Call[NoQuery, None], work: Work) -> QuarantinedDetail:
    """Show what was set aside, with what it says."""
    return _detail(work, await _find(call, work, to_change=False))


async def correct_quarantined(call: Call[NoQuery, Correction], work: Work) -> QuarantinedDetail:
    """Replace the payload of a message that was set aside; it must fit the contract of its key.

    What was first set aside stays beside it. Nothing is handled until the message is replayed. The key of a message
    stays, and an audit record stays as it came.
    """
    row = await _find(call, work)
    payload = orjson.dumps(call.body.payload)
    corrected = await work.resource(Desk).correct(work, row, payload, call.body.key, by=call.principal.user_id)
    return _detail(work, corrected)


async def replay_quarantined(call: Call[NoQuery, None], work: Work) -> QuarantinedDetail:
    """Let the module handle the message once more, now; repeated, it is not handled again.

    Where it fails again the answer says why in `failure`, and the state stays `waiting`. Of a batch each message is
    handled by itself, and what fails is set aside anew.
    """
    row = await _find(call, work)
    return _detail(work, await work.resource(Desk).replay(work, row, by=call.principal.user_id))


async def discard_quarantined(call: Call[NoQuery, None], work: Work) -> QuarantinedDetail:
    """Decide that the message shall not be handled; it is kept for 90 days, and who decided so."""
    row = await _find(call, work)
    return _detail(work, await work.resource(Desk).discard(work, row, by=call.principal.user_id))


async def _find(call: Call[NoQuery, Any], work: Work, *, to_change: bool = True) -> Quarantined:
    text = call.path["quarantined_id"]
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(_LARGEST)) else 0
    found = None
    if number <= _LARGEST:
        found = await work.resource(Desk).store.find(work, number, to_change=to_change)
    if found is None:
        raise NotInQuarantine(quarantined_id=text)
    if call.if_match not in {None, found.revision}:
        raise PreconditionFailed(revision=found.revision)
    return found


def _detail(work: Work, row: Quarantined) -> QuarantinedDetail:
    return QuarantinedDetail.of(work.resource(Desk).module, row)


table: tuple[Route, ...] = (
    get("/quarantine/{module}", list_quarantined, Scope.QUARANTINE_READ),
    get("/quarantine/{module}/{quarantined_id}", get_quarantined, Scope.QUARANTINE_READ),
    patch("/quarantine/{module}/{quarantined_id}", correct_quarantined, Scope.QUARANTINE_WRITE),
    post("/quarantine/{module}/{quarantined_id}/replay", replay_quarantined, Scope.QUARANTINE_WRITE),
    post("/quarantine/{module}/{quarantined_id}/discard", discard_quarantined, Scope.QUARANTINE_WRITE),
)


def of_module(name: str) -> tuple[Route, ...]:
    """The same routes for one module: its name is a part of their paths, so that an ingress can tell modules apart."""
    return tuple(replace(route, path=route.path.replace("{module}", name)) for route in table)
