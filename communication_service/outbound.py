"""Carries out a command on a connected station: contract in, CALLs, contract out."""

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import structlog

from communication_service.calls import Calls, Disconnected, NotSent
from communication_service.dialects import Dialect
from communication_service.metrics import COMMANDS
from communication_service.ocpp import schemas
from communication_service.ocpp.actions import Direction, direction
from communication_service.ocpp.errors import LONGEST_DESCRIPTION, Refusal
from communication_service.ocpp.frames import CallError, CallResult, dump_result_error
from communication_service.ocpp.route import CommandRoute, NotExpressible, OutboundCall, Payload
from communication_service.ocpp.schemas import Kind
from communication_service.ocpp.verdicts import by_status
from communication_service.ocpp.versions import Version
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
_LONGEST_CODE = 64


def _priority(command: object) -> int:
    return 0 if isinstance(command, _URGENT) else 1 if isinstance(command, _DRIVER_WAITS) else 2


async def execute(message: ExecuteCommand, calls: Calls, dialect: Dialect, *, timeout_s: float) -> CommandAnswered:
    """Tell the station, when its turn comes and if it is not too late by then. Never raises for what a station does."""
    answered = await _execute(message, calls, dialect, timeout_s)
    COMMANDS.labels(answered.outcome).inc()
    log.info("command_answered", command=message.command_id, type=message.command.type, outcome=answered.outcome)
    return answered


async def _execute(message: ExecuteCommand, calls: Calls, dialect: Dialect, timeout_s: float) -> CommandAnswered:
    route = _raw_route() if isinstance(message.command, RawCall) else dialect.commands.get(type(message.command))
    if route is None:
        return _failed(CommandOutcome.INVALID, "NotSupported", f"OCPP {dialect.version} has no such command")
    try:
        wanted = route.calls(message.command)
    except NotExpressible as error:
        return _failed(CommandOutcome.INVALID, "NotSupported", str(error))
    invalid = _violations(wanted, dialect.version)
    if invalid:
        return _failed(CommandOutcome.INVALID, "FormatViolation", invalid[0]["message"], violations=invalid)
    deadline = time.monotonic() + (message.expires_at - datetime.now(UTC)).total_seconds()
    try:
        async with calls.lane.turn(_priority(message.command), timeout=deadline - time.monotonic()):
            return await _converse(message, wanted, route, calls, dialect, deadline=deadline, timeout_s=timeout_s)
    except TimeoutError:
        return _expired()


async def _converse(
    message: ExecuteCommand,
    wanted: Sequence[OutboundCall],
    route: CommandRoute[Any],
    calls: Calls,
    dialect: Dialect,
    *,
    deadline: float,
    timeout_s: float,
) -> CommandAnswered:
    """Say it, in as many CALLs as it takes. Once something was sent, the effect of what fails is unknown."""
    results: list[Payload] = []
    for call in wanted:
        left = deadline - time.monotonic()
        if left <= 0 and not results:
            return _expired()
        try:
            answer = await calls.call(call.action, call.payload, timeout=min(max(left, 0), timeout_s))
        except TimeoutError:
            return _failed(CommandOutcome.TIMED_OUT, "Timeout", "the station did not answer: the effect is unknown")
        except (Disconnected, NotSent) as error:
            return _cut_off(before=isinstance(error, NotSent) and not results)
        if isinstance(answer, CallError):
            return _refused(answer)
        verdict = schemas.judge(dialect.version, call.action, answer.payload, Kind.RESPONSE)
        if verdict.refusal is not None:
            return await _invalid(answer, verdict.refusal, calls, dialect.version)
        results.append(verdict.payload)
    return route.answer(message.command, results)


def _expired() -> CommandAnswered:
    return _failed(CommandOutcome.EXPIRED, "Expired", "its time had passed before it could be sent")


def _cut_off(*, before: bool) -> CommandAnswered:
    if before:
        return _failed(CommandOutcome.OFFLINE, "Offline", "the connection ended before it could be sent")
    return _failed(CommandOutcome.TIMED_OUT, "Disconnected", "the connection ended: the effect is unknown")


def _refused(error: CallError) -> CommandAnswered:
    """A CALLERROR may hold anything: what is kept of it has bounds."""
    code, description = error.code[:_LONGEST_CODE], error.description[:LONGEST_DESCRIPTION]
    return _failed(CommandOutcome.FAILED, code, description, details=error.details)


async def _invalid(result: CallResult, refusal: Refusal, calls: Calls, version: Version) -> CommandAnswered:
    """The payload of the answer breaks the schema: kept for whoever looks into it, and 2.1 tells the station."""
    if version is Version.V21:
        with suppress(ConnectionError):
            await calls.refuse(dump_result_error(result.message_id, refusal, version))
    return _failed(CommandOutcome.FAILED, "InvalidResponse", refusal.description, received=result.payload)


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


def _failed(outcome: CommandOutcome, code: str, description: str, **payload: object) -> CommandAnswered:
    return CommandAnswered.model_validate(
        {"outcome": outcome, "error_code": code, "error_description": description, "payload": payload}
    )
