"""The table of contents of diagnostics."""

from modules.diagnostics import handlers, opened, replaying, routes, tables
from modules.diagnostics.settings import DiagnosticsSettings
from modules.kernel.module import Module, answer, handle, handle_all, handle_many
from modules.kernel.partitions import keep_partitions
from shared_contracts.diagnostics import ReplayEvents
from shared_contracts.stations import FramesRecorded, LogStatusReported

module = Module(
    name="diagnostics",
    tables=tables.metadata,
    routes=routes.table,
    handlers=(
        handle_all(handlers.keep_events),
        handle_many(FramesRecorded, handlers.keep_frames),
        handle(LogStatusReported, handlers.note_log_status),
        answer(ReplayEvents, handlers.replay_events),
    ),
    services=(keep_partitions(tables.events, tables.frames), replaying.service, *opened.services),
    resources=opened.open_resources,
    settings=DiagnosticsSettings,
)
