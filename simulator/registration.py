"""Whether the central system lets the station work (OCPP 1.6 §4.2, OCPP 2.0.1 B01 to B03)."""

from collections.abc import Callable

from simulator.call import Message, OutgoingCall
from simulator.outcome import Answered, Outcome, Unanswered
from simulator.variables import Settings


class Registration:
    """Boots, and obeys the answer.

    Accepted: its interval is the heartbeat interval. Pending or Rejected: nothing is sent until the
    interval is over, then it boots again; without an interval, or without an answer, the station's own
    `boot_retry_s`. `repeat_s` makes a station boot again and again though it is accepted.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        boot: Callable[[str], Message],
        key: str,
        on_accepted: Callable[[], None],
        repeat_s: float | None = None,
    ) -> None:
        self._settings = settings
        self._boot = boot
        self._key = key
        self._on_accepted = on_accepted
        self._repeat_s = repeat_s
        self._pending: OutgoingCall | None = None
        self._reason = "PowerUp"
        self._boots = 0
        self.status: str | None = None
        self.due_at: float | None = None

    @property
    def accepted(self) -> bool:
        """Whether the last answer was Accepted."""
        return self.status == "Accepted"

    def reset(self, reason: str) -> None:
        """Forget the registration: the station boots at once when it is connected, for this reason."""
        self.status = None
        self._reason = reason
        self.due_at = 0.0

    def due(self, now: float) -> bool:
        """Whether a BootNotification is to be sent now."""
        return self.due_at is not None and now >= self.due_at

    def call(self) -> OutgoingCall:
        """Return the BootNotification to send; a habitual repetition is the same call again."""
        if self._pending is None or self._repeat_s is None:
            self._boots += 1
            self._pending = OutgoingCall(self._boot(self._reason), f"{self._key}/{self._boots}")
        return self._pending

    def settle(self, call: OutgoingCall, outcome: Outcome, now: float) -> None:
        """Obey the answer to a BootNotification; other calls are none of its business."""
        if call.message.action != "BootNotification":
            return
        interval = 0
        if isinstance(outcome, Answered):
            self.status = outcome.payload.get("status")
            interval = int(outcome.payload.get("interval") or 0)
        if not self.accepted:
            lost = isinstance(outcome, Unanswered) and outcome.lost_link
            self.due_at = now if lost else now + (interval or self._settings.boot_retry_s)
            return
        self.due_at = None if self._repeat_s is None else now + self._repeat_s
        if isinstance(outcome, Answered):
            self._settings.heartbeat_s = interval or self._settings.heartbeat_s
            self._on_accepted()
