"""/events/replays"""

from datetime import datetime
from uuid import UUID

from modules.diagnostics import replaying
from modules.diagnostics.errors import ReplayNotFound
from modules.diagnostics.repository import replays
from modules.diagnostics.routes.ids import uuid_of
from modules.diagnostics.schemas.replays import NewReplay, ReplayView
from modules.kernel.http import Call, Created, NoQuery, Page, Paging, decode_cursor, get, page_of, post
from modules.kernel.scopes import Scope
from modules.kernel.work import Work


async def start_replay(call: Call[NoQuery, NewReplay], work: Work) -> Created[ReplayView]:
    """Send stored events to a module again.

    They follow in order, in the background. The module treats them as repeats: nothing is counted twice.
    """
    replay = await replaying.begin_replay(
        work,
        to_module=call.body.to_module,
        keys=call.body.keys,
        since=call.body.since,
        until=call.body.until,
        requested_by=call.principal.user_id,
    )
    return Created(ReplayView.of(replay), f"/events/replays/{replay.id}")


async def list_replays(call: Call[Paging, None], work: Work) -> Page[ReplayView]:
    """List replays, newest first."""
    before = decode_cursor(call.query.cursor, datetime, UUID)
    found = await replays.list_replays(work, before=before, limit=call.query.limit + 1)
    return page_of(found, call.query, ReplayView.of, lambda replay: (replay.requested_at, replay.id))


async def get_replay(call: Call[NoQuery, None], work: Work) -> ReplayView:
    """Tell how far a replay has come."""
    replay_id = uuid_of(call.path["replay_id"])
    replay = None if replay_id is None else await replays.find_replay(work, replay_id)
    if replay is None:
        raise ReplayNotFound
    return ReplayView.of(replay)


table = (
    get("/events/replays", list_replays, Scope.DIAGNOSTICS_READ),
    get("/events/replays/{replay_id}", get_replay, Scope.DIAGNOSTICS_READ),
    post("/events/replays", start_replay, Scope.DIAGNOSTICS_WRITE),
)
