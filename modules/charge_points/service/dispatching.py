"""Takes remembered commands to the station, and stores what came of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TypeVar, cast

import structlog
from pydantic import ValidationError

from modules.charge_points.domain.commands import StationCommand
from modules.charge_points.service import commanding
from modules.charge_points.service.commanding import Order
from modules.charge_points.settings import ChargePointsSettings
from modules.kernel.destinations import Destinations
from modules.kernel.work import ModuleContext, Work
from shared_contracts.bus import BusUnavailable, RequestFailed, RequestTimedOut, StationOffline, tell
from shared_contracts.commands import Command, CommandAnswered, CommandOutcome, ExecuteCommand

log = structlog.get_logger()

ANSWER_GRACE_S = 2.0
"""How long after its deadline the answer to a command is still waited for: the pod says `expired` or `timed_out`."""

_SENT_AFTER_S = 0.25
_LATER_S = 1.0
_DRAIN_S = 3.0
_STORE_ATTEMPTS = 8

T = TypeVar("T")


class Dispatcher:
    """Sends each command in a task of its own, which a caller that stops waiting does not stop."""

    def __init__(self, context: ModuleContext) -> None:
        self._context = context
        self._under_way: dict[str, asyncio.Task[StationCommand]] = {}

    async def carry(self, order: Order, *, wait_s: float) -> StationCommand:
        """Send a command that was committed; returns it as it is when the outcome is stored, or after `wait_s`.

        For a command that was issued before, this waits for the outcome if it is under way in this process.
        """
        task = self._begin(order, after_s=0.0) or self._under_way.get(order.remembered.command_id)
        if task is None:
            return order.remembered
        done, _ = await asyncio.wait((task,), timeout=wait_s)
        return task.result() if done else await self._unanswered(order)

    def carry_later(self, order: Order) -> None:
        """Send a command that was committed a moment later: the station is to have the answer to its own CALL first."""
        self._begin(order, after_s=_LATER_S)

    async def read(self, look: Callable[[Work], Awaitable[T]]) -> T:
        """Look at what is stored by now, after the work that issued the command is over."""
        async with self._context.work() as work:
            return await look(work)

    async def drain(self) -> None:
        """Let what is under way end, for a moment; what is left will count as timed out."""
        if self._under_way:
            await asyncio.wait(self._under_way.values(), timeout=_DRAIN_S)
        tasks = tuple(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, order: Order, *, after_s: float) -> "asyncio.Task[StationCommand] | None":
        if order.to_send is None:
            return None
        command_id = order.remembered.command_id
        task = asyncio.create_task(self._send(order.remembered, order.to_send, order.trace, after_s))
        self._under_way[command_id] = task
        task.add_done_callback(lambda done: self._forget(command_id, done))
        return task

    async def _unanswered(self, order: Order) -> StationCommand:
        return await self.read(lambda work: commanding.get(work, order.remembered.command_id))

    async def _send(
        self, remembered: StationCommand, command: Command, trace: str | None, after_s: float
    ) -> StationCommand:
        await asyncio.sleep(after_s)
        asking = asyncio.create_task(self._ask_station(remembered, command, trace))
        try:
            done, _ = await asyncio.wait((asking,), timeout=_SENT_AFTER_S)
            if not done:
                await self._mark_sent(remembered.command_id, trace)
            answer = await asking
        finally:
            asking.cancel()
        return await self._store(remembered.answered(answer, datetime.now(UTC)), trace)

    async def _mark_sent(self, command_id: str, trace: str | None) -> None:
        """Show that a station takes its time; of no consequence, so no reason to give up the answer."""
        try:
            async with self._context.work(trace=trace) as work:
                await commanding.mark_sent(work, command_id)
        except Exception as error:
            log.warning("command_not_marked_sent", command=command_id, error=repr(error))

    async def _ask_station(self, remembered: StationCommand, command: Command, trace: str | None) -> CommandAnswered:
        left_s = remembered.left_s(datetime.now(UTC))
        message = ExecuteCommand(
            station_id=remembered.station_id,
            command_id=remembered.command_id,
            command=command,
            expires_at=remembered.deadline_at,
            within_s=left_s,
        )
        try:
            return await tell(
                self._context.bus, message, timeout=left_s + ANSWER_GRACE_S, cause=remembered.command_id, trace=trace
            )
        except StationOffline:
            return CommandAnswered(outcome=CommandOutcome.OFFLINE)
        except RequestTimedOut:
            return CommandAnswered(outcome=CommandOutcome.TIMED_OUT)
        except BusUnavailable as error:
            return _failed(CommandOutcome.TIMED_OUT, "bus_unavailable", str(error))
        except RequestFailed as error:
            return _failed(CommandOutcome.FAILED, error.code, error.detail)
        except ValidationError as error:
            return _failed(CommandOutcome.FAILED, "invalid_reply", f"{error.error_count()} fields")

    async def _store(self, command: StationCommand, trace: str | None) -> StationCommand:
        """Commit the outcome, with patience: what a station did must not be forgotten while the database restarts."""
        pause_s = 0.1
        for _ in range(_STORE_ATTEMPTS - 1):
            try:
                return await self._store_once(command, trace)
            except Exception as error:
                log.warning("command_outcome_waits", command=command.command_id, error=repr(error))
            await asyncio.sleep(pause_s)
            pause_s *= 2
        return await self._store_once(command, trace)

    async def _store_once(self, command: StationCommand, trace: str | None) -> StationCommand:
        async with self._context.work(trace=trace, cause=command.command_id) as work:
            await commanding.complete(work, command)
        return command

    def _forget(self, command_id: str, task: asyncio.Task[StationCommand]) -> None:
        self._under_way.pop(command_id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("command_outcome_lost", command=command_id, error=repr(error))


@asynccontextmanager
async def open_dispatcher(context: ModuleContext) -> AsyncIterator[Mapping[type, object]]:
    """The dispatcher and where stations may be sent, as resources of the module."""
    dispatcher = Dispatcher(context)
    allowed = cast("ChargePointsSettings", context.settings).allowed_destinations
    try:
        yield {Dispatcher: dispatcher, Destinations: Destinations([name.lower() for name in allowed])}
    finally:
        await dispatcher.drain()


def _failed(outcome: CommandOutcome, code: str, description: str) -> CommandAnswered:
    return CommandAnswered(outcome=outcome, error_code=code, error_description=description)
