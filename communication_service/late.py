"""Answers that come when nobody waits for them any more: a command that timed out is completed by them after all."""

import asyncio
import time
from collections.abc import Callable

import structlog

from communication_service.calls import Answer
from communication_service.metrics import LATE_ANSWERS
from communication_service.patience import ask_patiently
from shared_contracts.bus import Bus, BusError
from shared_contracts.charge_points import CompleteCommand

log = structlog.get_logger()

Conclude = Callable[[Answer], CompleteCommand]
"""What an answer means for its command."""

_REMEMBERED = 10_000
_REMEMBERED_S = 900.0
_PATIENCE_S = 20.0


class LateAnswers:
    """One per pod: a station may answer on its next connection what it was asked on the last."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._expected: dict[tuple[str, str], tuple[float, Conclude]] = {}
        self._telling: set[asyncio.Task[None]] = set()

    def expect(self, station_id: str, message_id: str, conclude: Conclude) -> None:
        """A CALL was sent, and is not waited for any more."""
        if len(self._expected) >= _REMEMBERED:
            del self._expected[next(iter(self._expected))]
        self._expected[station_id, message_id] = time.monotonic(), conclude

    def take(self, station_id: str, answer: Answer) -> bool:
        """Whether this answers such a CALL; its command is then completed in the background."""
        at, conclude = self._expected.pop((station_id, str(answer.message_id)), (0.0, None))
        if conclude is None or time.monotonic() - at > _REMEMBERED_S:
            return False
        LATE_ANSWERS.inc()
        task = asyncio.create_task(self._complete(conclude, answer))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)
        return True

    async def _complete(self, conclude: Conclude, answer: Answer) -> None:
        """Apart from the connection that it came on: that lives on, whatever the answer holds."""
        try:
            await self._tell(conclude(answer))
        except Exception:
            log.exception("late_answer_unreadable", call=answer.message_id)

    async def _tell(self, completion: CompleteCommand) -> None:
        outcome = completion.answer.outcome
        log.info("command_answered_late", command=completion.command_id, outcome=outcome)
        try:
            await ask_patiently(self._bus, completion, within_s=_PATIENCE_S)
        except BusError as error:
            log.warning("late_answer_lost", command=completion.command_id, error=repr(error))
