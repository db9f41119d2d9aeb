"""Sends stored events to a module again: in order, in batches, each recorded in the transaction that sends it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from modules.diagnostics.domain import EventFilter, Replay
from modules.diagnostics.repository import events, replays
from modules.kernel.errors import InvalidRequest
from modules.kernel.module import Service
from modules.kernel.work import ModuleContext, Work

TARGETS = ("authorization", "charge_points", "configuration", "statistics", "transactions")
"""The modules that listen to events, and may be sent them again."""

_BATCH = 500
_OUTBOX = 2000  # so many may wait to be published before the replay waits too
_POLL_S = 0.5


async def begin_replay(
    work: Work,
    *,
    to_module: str,
    keys: Sequence[str],
    since: datetime | None,
    until: datetime | None,
    requested_by: str,
) -> Replay:
    """Record a replay of the events stored up to now; the service sends them.

    What other transactions are storing at this moment is included too, so `events` may grow a little.
    """
    if to_module not in TARGETS:
        raise InvalidRequest(f"Events can be sent again to {', '.join(TARGETS)}.", to_module=to_module)
    last = (await events.bounds(work)).given
    chosen = EventFilter(tuple(keys), since=since, until=until)
    count = await events.count_events(work, chosen, until=last)
    replay = Replay(
        id=uuid4(),
        requested_by=requested_by,
        requested_at=work.now,
        to_module=to_module,
        keys=chosen.names,
        since=since,
        until=until,
        events=count,
        sent=0,
        after=0,
        last=last,
        finished_at=None,
    )
    await replays.add_replay(work, replay)
    return replay


async def send_next(work: Work) -> bool:
    """Send the next batch of the oldest open replay; returns whether there may be more to do at once.

    Events that older transactions may still add to are waited for, so that the order holds.
    """
    replay = await replays.take_open_replay(work)
    if replay is None or await replays.count_outgoing(work, at_most=_OUTBOX) >= _OUTBOX:
        return False
    settled = (await events.bounds(work)).settled
    until = min(replay.last, settled)
    chosen = EventFilter(tuple(replay.keys), since=replay.since, until=replay.until)
    found = await events.read_events(work, chosen, after=replay.after, until=until, limit=_BATCH)
    for event in found:
        work.send_again(event.envelope(), to_module=replay.to_module)
    is_finished = len(found) < _BATCH and settled >= replay.last
    if found or is_finished:
        moved = replace(replay, sent=replay.sent + len(found), after=found[-1].position if found else replay.after)
        await replays.move_replay(work, moved, finished_at=work.now if is_finished else None)
    return bool(found) or is_finished


async def _run(context: ModuleContext) -> None:
    while True:
        async with context.work() as work:
            has_more = await send_next(work)
        if not has_more:
            await asyncio.sleep(_POLL_S)


service = Service("replays", _run)
