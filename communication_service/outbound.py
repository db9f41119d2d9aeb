"""Carries out a command on a connected station: contract in, CALLs, contract out."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog

from communication_service.calls import Answer, Calls, Disconnected, NotSent
from communication_service.dialects import Dialect
from communication_service.late import LateAnswers
from communication_service.metrics import COMMANDS
from communication_service.ocpp import schemas
from communication_service.ocpp.actions import Direction, direction
from communication_service.ocpp.errors import Refusal
from communication_service.ocpp.frames import CallError, CallResult, dump_result_error
from communication_service.ocpp.route import CommandRoute, NotExpressible, OutboundCall, Payload
from communication_service.ocpp.schemas import Kind
from communication_service.ocpp.verdicts import by_status
from communication_service.ocpp.versions import Version
from communication_service.outcomes import cut_off, expired, failed, invalid, refused
from shared_contracts.charge_points import CompleteCommand
from shared_contracts.commands import (
    CommandAnswered,
    CommandOutcome,
    ExecuteCommand,
    RawCall,
    StartCharging,
    StopCharging,
    UnlockConnector,
)

log = structlog.get_logger()

_URGENT = (StopCharging, UnlockConnector)
_DRIVER_WAITS = (StartCharging,)


def _priority(command: object) -> int:
    return 0 if isinstance(command, _URGENT) else 1 if isinstance(command, _DRIVER_WAITS) else 2


async def execute(
    message: ExecuteCommand, calls: Calls, dialect: Dialect, late: LateAnswers, *, timeout_s: float
) -> CommandAnswered:
    """Tell the station, when its turn comes and if it is not too late by then. Never raises for what a station does."""
    answered = await _execute(message, calls, dialect, late, timeout_s)
    COMMANDS.labels(answered.outcome).inc()
    log.info("command_answered", command=message.command_id, type=message.command.type, outcome=answered.outcome)
    return answered


async def _execute(
    message: ExecuteCommand, calls: Calls, dialect: Dialect, late: LateAnswers, timeout_s: float
) -> CommandAnswered:
    route = _raw_route() if isinstance(message.command, RawCall) else dialect.commands.get(type(message.command))
    if route is None:
        return failed(CommandOutcome.INVALID, "NotSupported", f"OCPP {dialect.version} has no such command")
    try:
        wanted = route.calls(message.command)
    except NotExpressible as error:
        return failed(CommandOutcome.INVALID, "NotSupported", str(error))
    broken = _violations(wanted, dialect.version)
    if broken:
        return failed(CommandOutcome.INVALID, "FormatViolation", broken[0]["message"], violations=broken)
    errand = _Errand(message, wanted, route, dialect.version)
    deadline = time.monotonic() + _left_s(message)
    try:
        async with calls.lane.turn(_priority(message.command), timeout=deadline - time.monotonic()):
            if calls.closing:
                return cut_off(before=True)
            return await _converse(errand, calls, late, deadline=deadline, timeout_s=timeout_s)
    except TimeoutError:
        return expired()


def _left_s(message: ExecuteCommand) -> float:
    if message.within_s is not None:
        return message.within_s
    return (message.expires_at - datetime.now(UTC)).total_seconds()


@dataclass(frozen=True, slots=True)
class _Errand:
    """A command, and how it is said in the station's version."""

    message: ExecuteCommand
    wanted: Sequence[OutboundCall]
    route: CommandRoute[Any]
    version: Version

    def on_silence(self, late: LateAnswers, earlier: Sequence[Payload]) -> Callable[[str], None]:
        """What to do about a CALL that is not answered in time, where these results came before."""
        conclude = partial(_conclude, self, tuple(earlier))
        return lambda message_id: late.expect(self.message.station_id, message_id, conclude)


async def _converse(
    errand: _Errand, calls: Calls, late: LateAnswers, *, deadline: float, timeout_s: float
) -> CommandAnswered:
    """Say it, in as many CALLs as it takes. Once something was sent, the effect of what fails is unknown."""
    results: list[Payload] = []
    for call in errand.wanted:
        left = deadline - time.monotonic()
        if left <= 0 and not results:
            return expired()
        try:
            answer = await calls.call(
                call.action,
                call.payload,
                timeout=min(max(left, 0), timeout_s),
                on_silence=errand.on_silence(late, results),
            )
        except TimeoutError:
            return failed(CommandOutcome.TIMED_OUT, "Timeout", "the station did not answer: the effect is unknown")
        except (Disconnected, NotSent) as error:
            return cut_off(before=isinstance(error, NotSent) and not results)
        if isinstance(answer, CallError):
            return refused(answer)
        verdict = schemas.judge(errand.version, call.action, answer.payload, Kind.RESPONSE)
        if verdict.refusal is not None:
            await _refuse(answer, verdict.refusal, calls, errand.version)
            return invalid(answer, verdict.refusal)
        results.append(verdict.payload)
    return errand.route.answer(errand.message.command, results)


def _conclude(errand: _Errand, earlier: Sequence[Payload], answer: Answer) -> CompleteCommand:
    """What an answer means that came when nobody waited for it any more: nothing more is sent then."""
    message = errand.message
    answered = _read_late(errand, earlier, answer)
    return CompleteCommand(station_id=message.station_id, command_id=message.command_id, answer=answered)


def _read_late(errand: _Errand, earlier: Sequence[Payload], answer: Answer) -> CommandAnswered:
    if isinstance(answer, CallError):
        return refused(answer)
    verdict = schemas.judge(errand.version, errand.wanted[len(earlier)].action, answer.payload, Kind.RESPONSE)
    if verdict.refusal is not None:
        return invalid(answer, verdict.refusal)
    if len(earlier) + 1 < len(errand.wanted):
        return failed(CommandOutcome.TIMED_OUT, "Timeout", "answered late: what was to follow was not sent")
    return errand.route.answer(errand.message.command, [*earlier, verdict.payload])


async def _refuse(result: CallResult, refusal: Refusal, calls: Calls, version: Version) -> None:
    """2.1 tells the station that its answer cannot be used."""
    if version is Version.V21:
        with suppress(ConnectionError):
            await calls.refuse(dump_result_error(result.message_id, refusal, version))


def _raw_route() -> CommandRoute[Any]:
    def calls(command: RawCall) -> list[OutboundCall]:
        return [OutboundCall(command.action, dict(command.payload))]

    return CommandRoute(calls, _raw_answer)


def _raw_answer(command: RawCall, results: list[Payload]) -> CommandAnswered:
    """Each of OCPP's many status words that does not accept refuses."""
    if "status" not in results[0]:
        return CommandAnswered(outcome=CommandOutcome.ACCEPTED, payload=results[0])
    answered = by_status(command, results)
    if answered.outcome is CommandOutcome.INVALID:
        return answered.model_copy(update={"outcome": CommandOutcome.REJECTED})
    return answered


def _violations(wanted: Sequence[OutboundCall], version: Version) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for call in wanted:
        if direction(version, call.action) not in {Direction.FROM_CSMS, Direction.BOTH}:
            found.append({"pointer": "", "message": f"{call.action} is not sent to stations in OCPP {version}"})
            continue
        broken = schemas.violations(version, call.action, call.payload)
        found.extend({"pointer": one.pointer, "message": one.message} for one in broken)
    return found
