"""The operations of the API that this module serves."""

from modules.diagnostics.routes import audit, events, frames, logs, replays, statuses, stream

table = (*events.table, *replays.table, *frames.table, *statuses.table, *logs.table, *stream.table, *audit.table)
