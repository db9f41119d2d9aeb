"""The queue of transaction-related messages: in order, retried, never dropped while offline."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator

from simulator.call import OutgoingCall
from simulator.ledger import TransactionRecord
from simulator.outcome import Answered, Outcome, Unanswered
from simulator.variables import Settings


class TransactionQueue:
    """OCPP 1.6 §3.7 and OCPP 2.0.1 E13: a message blocks those behind it until it is answered or given up.

    Silence and CALLERROR are failures to process. After a failure the message waits interval times failures,
    and after the last allowed failure it is discarded. A lost link is no failure of the central system:
    the message stays and goes out first when the link is back. `count_lost_links` makes the station as
    strict as some are, which burn an attempt on every send.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        count_lost_links: bool = False,
        on_discard: Callable[[TransactionRecord | None, str], None],
    ) -> None:
        self._settings = settings
        self._count_lost_links = count_lost_links
        self._on_discard = on_discard
        self._calls: deque[OutgoingCall] = deque()
        self.not_before = 0.0
        self.empty = asyncio.Event()
        self.empty.set()

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[OutgoingCall]:
        return iter(self._calls)

    def append(self, call: OutgoingCall) -> None:
        """Queue a call behind all others."""
        self._calls.append(call)
        self.empty.clear()

    def due(self, now: float) -> OutgoingCall | None:
        """Return the call to send now, if there is one and its wait is over. It stays in the queue."""
        return self._calls[0] if self._calls and now >= self.not_before else None

    def settle(self, call: OutgoingCall, outcome: Outcome, now: float) -> None:
        """Remove the head, or keep it for its next attempt."""
        self.not_before = now
        match outcome:
            case Answered():
                self._calls.popleft()
            case Unanswered(lost_link=True) if not self._count_lost_links:
                pass
            case _:
                self._failed(call, now)
        if not self._calls:
            self.empty.set()

    def _failed(self, call: OutgoingCall, now: float) -> None:
        """Count a failure; retry later or discard."""
        call.attempts += 1
        if call.attempts >= self._settings.message_attempts:
            self._calls.popleft()
            self._on_discard(call.transaction, call.key)
        else:
            self.not_before = now + self._settings.message_retry_s * call.attempts

    def release(self) -> None:
        """Let go of everybody who waits for a first attempt: the link is down."""
        for call in self._calls:
            call.tried.set()
