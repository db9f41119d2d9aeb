"""The memory of the system: events, frames, statuses. Owner: modules/diagnostics."""

from typing import ClassVar

from shared_contracts.message import Reply, Request, UtcTime


class ReplayStarted(Reply):
    """How many events will be sent again; they follow in order, in the background."""

    events: int


class ReplayEvents(Request[ReplayStarted]):
    """Send stored events again to one module, which must treat them idempotently."""

    key: ClassVar[str] = "diagnostics.replay_events.v1"
    to_module: str
    keys: tuple[str, ...]
    since: UtcTime | None = None
    until: UtcTime | None = None
