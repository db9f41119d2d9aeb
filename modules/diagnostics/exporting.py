"""Files of events and frames, made while they are sent: a page of rows in memory at a time."""

import re
from collections.abc import AsyncIterator

import orjson

from modules.diagnostics.domain import EventFilter, FrameFilter, StoredEvent, StoredFrame
from modules.diagnostics.repository import events, frames
from modules.kernel.work import ModuleContext

_PAGE = 1000
_BREAKS = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")


async def events_as_ndjson(context: ModuleContext, chosen: EventFilter) -> AsyncIterator[bytes]:
    """Events that match and are stored now, oldest first, one JSON object a line."""
    async with context.serve() as work:
        until = (await events.bounds(work)).given
    after = 0
    while True:
        async with context.serve() as work:
            found = await events.read_events(work, chosen, after=after, until=until, limit=_PAGE)
        if found:
            yield "".join(map(_event_line, found)).encode()
        if len(found) < _PAGE:
            return
        after = found[-1].position


async def frames_as_ndjson(context: ModuleContext, chosen: FrameFilter) -> AsyncIterator[bytes]:
    """Frames that match, newest first, one JSON object a line."""
    async for page in _frames(context, chosen):
        lines = (
            orjson.dumps({"at": frame.at, "direction": frame.direction, "text": frame.text}, option=orjson.OPT_UTC_Z)
            for frame in page
        )
        yield b"\n".join(lines) + b"\n"


async def frames_as_text(context: ModuleContext, chosen: FrameFilter) -> AsyncIterator[bytes]:
    """Frames that match, newest first, a line each: time, direction, and the frame without its line breaks."""
    async for page in _frames(context, chosen):
        lines = (
            f"{frame.at.isoformat(timespec='milliseconds')} {frame.direction:3} {_BREAKS.sub(' ', frame.text)}\n"
            for frame in page
        )
        yield "".join(lines).encode()


async def _frames(context: ModuleContext, chosen: FrameFilter) -> AsyncIterator[list[StoredFrame]]:
    before = None
    while True:
        async with context.serve() as work:
            page = await frames.read_newest_frames(work, chosen, before=before, limit=_PAGE)
        if page:
            yield page
        if len(page) < _PAGE:
            return
        before = page[-1].at, page[-1].number


def _event_line(event: StoredEvent) -> str:
    head = {
        "position": str(event.position),
        "id": event.id,
        "key": event.key,
        "station_id": event.station_id,
        "occurred_at": event.occurred_at,
        "stored_at": event.stored_at,
        "cause": event.cause,
        "trace": event.trace,
    }
    return f'{orjson.dumps(head, option=orjson.OPT_UTC_Z).decode()[:-1]},"payload":{event.payload}}}\n'
