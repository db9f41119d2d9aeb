"""Carries out a command on a connected station: contract in, CALLs, contract out."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import structlog

from communication_service.calls import Calls, Disconnected
from communication_service.dialects import Dialect
from communication_service.metrics import COMMANDS
from communication_service.ocpp import schemas
from communication_service.ocpp.actions import Direction, direction
from communication_service.ocpp.frames import CallError
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
    async with calls.lane.turn(_priority(message.command)):
        return await _converse(message, wanted, route, calls, dialect, timeout_s)


async def _converse(
    message: ExecuteCommand,
    wanted: Sequence[OutboundCall],
    route: CommandRoute[Any],
    calls: Calls,
    dialect: Dialect,
    timeout_s: float,
) -> CommandAnswered:
    deadline = time.monotonic() + (message.expires_at - datetime.now(UTC)).total_seconds()
    results: list[Payload] = []
    for call in wanted:
        left = deadline - time.monotonic()
        if left <= 0:
            return _failed(CommandOutcome.EXPIRED, "Expired", "its time had passed before it could be sent")
        try:
            answer = await calls.call(call.action, call.payload, timeout=min(left, timeout_s))
        except TimeoutError:
            return _failed(CommandOutcome.TIMED_OUT, "Timeout", "the station did not answer: the effect is unknown")
        except (Disconnected, ConnectionError):
            return _failed(CommandOutcome.TIMED_OUT, "Disconnected", "the connection ended: the effect is unknown")
        if isinstance(answer, CallError):
            return _failed(CommandOutcome.FAILED, answer.code, answer.description, details=answer.details)
        verdict = schemas.judge(dialect.version, call.action, answer.payload, Kind.RESPONSE)
        if verdict.refused:
            first = verdict.refused[0]
            return _failed(
                CommandOutcome.FAILED, "InvalidResponse", f"{first.pointer}: {first.message}", received=answer.payload
            )
        results.append(verdict.payload)
    return route.answer(message.command, results)


def _raw_route() -> CommandRoute[Any]:
    def calls(command: RawCall) -> list[OutboundCall]:
        return [OutboundCall(command.action, dict(command.payload))]

    return CommandRoute(calls, _raw_answer)


def _raw_answer(command: RawCall, results: list[Payload]) -> CommandAnswered:
    if "status" in results[0]:
        return by_status(command, results)
    return CommandAnswered(outcome=CommandOutcome.ACCEPTED, payload=results[0])


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
