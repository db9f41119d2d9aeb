"""Messages in: events to be kept, frames to be kept, the progress of logs, replays."""

from collections.abc import Sequence

import orjson

from modules.diagnostics import replaying
from modules.diagnostics.opened import Opened
from modules.diagnostics.recorded import Recorded
from modules.diagnostics.repository import audit, events, frames, logs
from modules.kernel.work import Work
from shared_contracts.diagnostics import ReplayEvents, ReplayStarted
from shared_contracts.management import RequestAudited
from shared_contracts.message import Envelope
from shared_contracts.stations import FramesRecorded, LogStatusReported, StationsSeen

NOT_KEPT = frozenset({FramesRecorded.key, StationsSeen.key, RequestAudited.key})
"""Frames and audit records have tables of their own; a heartbeat that is minutes old says nothing."""


async def keep_events(envelopes: Sequence[Envelope], work: Work) -> None:
    """Store every event, payload unread, and note what changed of statuses.

    Idempotent by the delivery, which the host remembers in the same transaction; an event that its sender published
    twice is kept twice, with the same id.
    """
    rows = [
        (item.id, item.key, item.station_id, item.occurred_at, item.cause, item.trace, item.payload.decode())
        for item in envelopes
        if item.key not in NOT_KEPT
    ]
    if rows:
        await events.store_events(work, rows)
    await work.resource(Opened).writer.take(envelopes, work)


async def keep_frames(recorded: Sequence[Recorded], work: Work) -> None:
    """Store raw frames. Idempotent by the delivery; a frame that is recorded twice is seen twice."""
    rows = [(frame.station_id, frame.at, frame.direction, frame.text) for event in recorded for frame in event.frames]
    if rows:
        await frames.store_frames(work, rows)


async def keep_audit_records(told: Sequence[RequestAudited], work: Work) -> None:
    """Store audit records. Idempotent by the request and its outcome."""
    once = {(record.request_id, record.status): record for record in told}
    rows = [record.model_dump() | {"parameters": orjson.dumps(record.parameters).decode()} for record in once.values()]
    await audit.add_records(work, rows)


async def note_log_status(event: LogStatusReported, work: Work) -> None:
    """Note how an upload goes. Idempotent: the same report sets the same status."""
    await logs.set_status(work, event.station_id, event.request_id, status=event.status, status_at=event.reported_at)


async def replay_events(request: ReplayEvents, work: Work) -> ReplayStarted:
    """Begin to send stored events to a module again. A repeat sends them once more, which the module tolerates."""
    replay = await replaying.begin_replay(
        work,
        to_module=request.to_module,
        keys=request.keys,
        since=request.since,
        until=request.until,
        requested_by=request.to_module,
    )
    return ReplayStarted(events=replay.events)
