"""What became of a command that was not, or not properly, answered."""

from communication_service.ocpp.errors import LONGEST_DESCRIPTION, Refusal
from communication_service.ocpp.frames import CallError, CallResult
from shared_contracts.commands import CommandAnswered, CommandOutcome

_LONGEST_CODE = 64


def expired() -> CommandAnswered:
    """It waited too long for its turn."""
    return failed(CommandOutcome.EXPIRED, "Expired", "its time had passed before it could be sent")


def cut_off(*, before: bool) -> CommandAnswered:
    """The connection ended, `before` anything was sent or after."""
    if before:
        return failed(CommandOutcome.OFFLINE, "Offline", "the connection ended before it could be sent")
    return failed(CommandOutcome.TIMED_OUT, "Disconnected", "the connection ended: the effect is unknown")


def refused(error: CallError) -> CommandAnswered:
    """A CALLERROR may hold anything: what is kept of it has bounds."""
    code, description = error.code[:_LONGEST_CODE], error.description[:LONGEST_DESCRIPTION]
    return failed(CommandOutcome.FAILED, code, description, details=error.details)


def invalid(result: CallResult, refusal: Refusal) -> CommandAnswered:
    """The payload of the answer breaks the schema: kept for whoever looks into it."""
    return failed(CommandOutcome.FAILED, "InvalidResponse", refusal.description, received=result.payload)


def failed(outcome: CommandOutcome, code: str, description: str, **payload: object) -> CommandAnswered:
    """An outcome with its error."""
    return CommandAnswered.model_validate(
        {"outcome": outcome, "error_code": code, "error_description": description, "payload": payload}
    )
