"""What was set aside, as it is kept."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared_contracts.message import Envelope, unpack


class State(StrEnum):
    """What has become of it."""

    WAITING = "waiting"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A message that was set aside, or a body of none or several.

    `header` is the first line of the message's envelope; `addressee` the one module that it was on its way to, where
    that is not the one that keeps it; `original` the body before it was corrected; `failure` why it could not be
    handled when it was last tried again.
    """

    id: int
    quarantined_at: datetime
    key: str | None
    station_id: str | None
    body: bytes
    reason: str
    header: bytes | None
    addressee: str | None
    original: bytes | None
    state: State
    revision: int
    failure: str | None
    changed_at: datetime | None
    changed_by: str | None

    def envelopes(self) -> list[Envelope]:
        """What it says. Raises MalformedBody for a body that is no batch of envelopes."""
        if self.header is not None:
            return unpack(self.header + b"\n" + self.body)
        if self.key is None:
            return unpack(self.body)
        return [Envelope(self.own_id, self.key, self.station_id, self.quarantined_at, self.body)]

    @property
    def own_id(self) -> str:
        """The id of a message whose own is not known: the same each time it is asked for."""
        return f"{int(self.quarantined_at.timestamp() * 1000):012x}{self.id:020x}"
