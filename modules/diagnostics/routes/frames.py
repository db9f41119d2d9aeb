"""/charging-stations/{station_id}/frames"""

from datetime import datetime

from modules.diagnostics import exporting
from modules.diagnostics.opened import Opened
from modules.diagnostics.repository import frames
from modules.diagnostics.schemas.frames import FramesExported, FramesListed, FrameView
from modules.kernel.http import Call, Download, Page, decode_cursor, get, page_of
from modules.kernel.scopes import Scope
from modules.kernel.work import Work


async def list_frames(call: Call[FramesListed, None], work: Work) -> Page[FrameView]:
    """List the OCPP frames of a station, newest first."""
    before = decode_cursor(call.query.cursor, datetime, int)
    chosen = call.query.chosen(call.path["station_id"])
    found = await frames.read_newest_frames(work, chosen, before=before, limit=call.query.limit + 1)
    return page_of(found, call.query, FrameView.of, lambda frame: (frame.at, frame.number))


async def export_frames(call: Call[FramesExported, None], work: Work) -> Download:
    """Export the OCPP frames of a station, newest first, as NDJSON or text."""
    context, chosen = work.resource(Opened).context, call.query.chosen(call.path["station_id"])
    if call.query.format == "text":
        return Download(exporting.frames_as_text(context, chosen), "text/plain; charset=utf-8", "frames.txt")
    return Download(exporting.frames_as_ndjson(context, chosen), "application/x-ndjson", "frames.ndjson")


table = (
    get("/charging-stations/{station_id}/frames", list_frames, Scope.DIAGNOSTICS_READ),
    get("/charging-stations/{station_id}/frames/export", export_frames, Scope.DIAGNOSTICS_READ),
)
