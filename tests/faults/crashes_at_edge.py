"""The steps between a station's message and its answer at which the edge can be ended.

Only what concerns transactions counts, so that a crash is in the middle of charges. Each point wraps the function
that takes the step; where that function is gone, NothingToSabotage ends the start.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from communication_service.dialects import TRANSACTIONAL
from communication_service.inbound import Inbound
from communication_service.ocpp.route import Ask, Publish, Written
from communication_service.session import Session
from shared_contracts.amqp.bus import AmqpBus
from shared_contracts.stations import MetersSampled
from shared_contracts.transactions import TransactionReported
from tests.faults.sabotaged import Function, Fuse, wrap

EVENTS = frozenset({MetersSampled.key, TransactionReported.key})
_WRITTEN_S = 0.05  # until a body has left the process; its confirm may be there too, but nobody was told


def _after_read(fuse: Fuse) -> None:
    """A message of a transaction was read from the socket."""

    def around(original: Function) -> Function:
        async def answer(self: Inbound, call: Any, *rest: Any) -> Any:
            if call.action in TRANSACTIONAL:
                fuse.reached()
            return await original(self, call, *rest)

        return answer

    wrap(Inbound, "answer", around)


def _before_publish(fuse: Fuse) -> None:
    """A batch with an event of a transaction is about to be published."""

    def around(original: Function) -> Function:
        async def carry(self: AmqpBus, batch: Any) -> None:
            if batch.keys & EVENTS:
                fuse.reached()
            await original(self, batch)

        return carry

    wrap(AmqpBus, "_carry", around)


def _after_publish_before_confirm(fuse: Fuse) -> None:
    """The batch has left; whether the broker has it, nobody here has learnt."""

    def around(original: Function) -> Function:
        async def carry(self: AmqpBus, batch: Any) -> None:
            if batch.keys & EVENTS and fuse.burn():
                publishing = asyncio.ensure_future(original(self, batch))
                await asyncio.sleep(_WRITTEN_S)
                publishing.cancel()
                fuse.blow()
            await original(self, batch)

        return carry

    wrap(AmqpBus, "_carry", around)


def _after_outcome(fuse: Fuse, kind: type) -> None:
    def around(original: Function) -> Function:
        async def carry_out(self: Inbound, outcome: Any, *rest: Any) -> Any:
            payload = await original(self, outcome, *rest)
            if isinstance(outcome, kind) and _concerns_transactions(outcome):
                fuse.reached()
            return payload

        return carry_out

    wrap(Inbound, "_carry_out", around)


def _concerns_transactions(outcome: Any) -> bool:
    if isinstance(outcome, Ask):
        return str(outcome.request.key).startswith("transactions.")
    event = outcome.event
    return (event.kind if isinstance(event, Written) else event).key in EVENTS


def _after_confirm_before_reply(fuse: Fuse) -> None:
    """The event is durable, and the station not answered."""
    _after_outcome(fuse, Publish)


def _after_answer_before_reply(fuse: Fuse) -> None:
    """The module has answered, and the station has not heard it."""
    _after_outcome(fuse, Ask)


def _after_reply(fuse: Fuse) -> None:
    """The answer to a message of a transaction was sent."""
    answers: set[str] = set()

    def noting(original: Function) -> Function:
        async def answer(self: Session, frame: Any, *rest: Any) -> Any:
            text = await original(self, frame, *rest)
            if text is not None and frame.action in TRANSACTIONAL:
                answers.add(text)
            return text

        return answer

    def around(original: Function) -> Function:
        async def send(self: Session, text: str) -> None:
            await original(self, text)
            if text in answers:
                answers.discard(text)
                fuse.reached()

        return send

    wrap(Session, "_answer", noting)
    wrap(Session, "_send", around)


POINTS: dict[str, Callable[[Fuse], None]] = {
    "after_read": _after_read,
    "before_publish": _before_publish,
    "after_publish_before_confirm": _after_publish_before_confirm,
    "after_confirm_before_reply": _after_confirm_before_reply,
    "after_answer_before_reply": _after_answer_before_reply,
    "after_reply": _after_reply,
}
