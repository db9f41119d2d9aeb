"""When the way to the broker is trusted: a state per shard, slow to doubt, slower to give up, and slow to trust again.

A station whose message finds no answer throws it away after a few tries; one that is not connected keeps it. So when
nothing becomes durable for long, the pod lets its stations go, and takes them back only when the way is proven.
"""

from dataclasses import dataclass
from enum import IntEnum


class State(IntEnum):
    """What is done with the stations of a shard."""

    OPEN = 0
    """All is well."""
    DOUBTED = 1
    """No new connections; the present ones stay, and are answered what needs no broker."""
    OUTAGE = 2
    """The present ones are let go, too."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds of trouble until a shard is doubted and given up, and of proven health until it is trusted again."""

    doubt_s: float
    outage_s: float
    proven_s: float
    broken_s: float = 3.0
    """Nothing confirmed for so long is trouble; less is load."""
    away_s: float = 2.0
    """If nobody looked for so long, this process was frozen: its own absence is no trouble of the broker."""


class Path:
    """One shard's way into the broker. It is told what is seen, and when: it has no clock."""

    __slots__ = ("_awake_since", "_healthy_since", "_looked_at", "_patience", "_trouble_since", "_troubled_at", "state")

    def __init__(self, patience: Patience, now: float) -> None:
        self._patience = patience
        self._looked_at = self._awake_since = self._troubled_at = now
        self._trouble_since: float | None = None
        self._healthy_since: float | None = None
        self.state = State.OPEN

    def see(self, now: float, *, silent_s: float, proven_at: float) -> State:
        """Take in what is seen at `now`; returns the state from now on.

        `silent_s` is for how long nothing went through although something waits, `proven_at` when the newest probe
        was sent that has been confirmed.
        """
        self._notice_absence(now)
        if silent_s >= min(self._patience.broken_s, self._patience.doubt_s):
            self._suffer(now, silent_s)
        elif self.state is State.OPEN:
            self._trouble_since = None
        elif self._healthy_since is None:
            self._healthy_since = now if proven_at > self._troubled_at else None
        elif proven_at - self._healthy_since >= self._patience.proven_s:
            self.state, self._trouble_since, self._healthy_since = State.OPEN, None, None
        return self.state

    def _notice_absence(self, now: float) -> None:
        away_s = now - self._looked_at
        if away_s > self._patience.away_s:
            self._awake_since = now
            if self._trouble_since is not None:
                self._trouble_since += away_s
        self._looked_at = now

    def _suffer(self, now: float, silent_s: float) -> None:
        self._troubled_at, self._healthy_since = now, None
        if self._trouble_since is None:
            self._trouble_since = max(now - silent_s, self._awake_since)
        lasting_s = now - self._trouble_since
        if lasting_s >= self._patience.outage_s:
            self.state = State.OUTAGE
        elif lasting_s >= self._patience.doubt_s and self.state is State.OPEN:
            self.state = State.DOUBTED
