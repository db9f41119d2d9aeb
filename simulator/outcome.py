"""What became of a call that was sent."""

from dataclasses import dataclass

from simulator.frames import Payload


@dataclass(frozen=True, slots=True)
class Answered:
    """A CALLRESULT came in time."""

    payload: Payload


@dataclass(frozen=True, slots=True)
class Refused:
    """A CALLERROR came in time."""

    code: str
    description: str


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer: the time ran out, or the link was lost or not there."""

    reason: str

    @property
    def lost_link(self) -> bool:
        """Whether it was the link that failed, and not the central system that kept silent."""
        return self.reason != TIMEOUT


Outcome = Answered | Refused | Unanswered

TIMEOUT = "timeout"
LINK_LOST = "link lost"
OFFLINE = "offline"
