"""The table of contents of diagnostics."""

from modules.diagnostics import handlers, opened, recorded, replaying, routes, tables
from modules.diagnostics.settings import DiagnosticsSettings
from modules.kernel.module import Module, answer, handle, handle_all, handle_many, handle_many_read
from shared_contracts.diagnostics import ReplayEvents
from shared_contracts.management import RequestAudited
from shared_contracts.stations import FramesRecorded, LogStatusReported

module = Module(
    name="diagnostics",
    tables=tables.metadata,
    routes=routes.table,
    handlers=(
        handle_all(handlers.keep_events),
        handle_many_read(FramesRecorded, handlers.keep_frames, read=recorded.read),
        handle_many(RequestAudited, handlers.keep_audit_records),
        handle(LogStatusReported, handlers.note_log_status),
        answer(ReplayEvents, handlers.replay_events),
    ),
    services=(replaying.service, *opened.services),
    resources=opened.open_resources,
    settings=DiagnosticsSettings,
)
