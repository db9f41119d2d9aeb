"""A call on its way out: what the station wants to say, before and while it is sent."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from simulator.frames import Payload
from simulator.ledger import TransactionRecord
from simulator.outcome import Answered, Outcome


@dataclass(frozen=True)
class Message:
    """An action and how to build its payload at the moment of sending.

    Built late because OCPP 1.6 learns the transaction id only from the answer to StartTransaction, when
    meter values may already stand in the queue behind it.
    """

    action: str
    build: Callable[[], Payload]


def message(action: str, payload: Payload) -> Message:
    """Return a message whose payload is known already."""
    return Message(action, lambda: payload)


@dataclass(eq=False)
class OutgoingCall:
    """One fact for the central system; it may be sent several times until it is answered.

    `key` names the fact: retries share it. `tried` is set after the first attempt ended, or as soon as
    it is clear that there will be none for now, so that nobody waits for a link that is down.
    """

    message: Message
    key: str
    on_answer: Callable[[Payload], None] | None = None
    transaction: TransactionRecord | None = None
    attempts: int = 0
    message_id: str | None = None
    outcome: Outcome | None = None
    tried: asyncio.Event = field(default_factory=asyncio.Event)

    def settle(self, outcome: Outcome) -> None:
        """Remember the outcome of the latest attempt, and act on an answer."""
        self.outcome = outcome
        if isinstance(outcome, Answered) and self.on_answer is not None:
            self.on_answer(outcome.payload)
        self.tried.set()
