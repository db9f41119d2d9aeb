"""A command to a station: remembered before it is sent, and never sent twice."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import TypeAdapter

from modules.charge_points.domain.secrets import redacted, redacted_variables
from shared_contracts.commands import Command, CommandAnswered, CommandOutcome, GetVariables, StartCharging
from shared_contracts.message import JsonObject
from shared_contracts.stations import ReportedVariable

_COMMAND: TypeAdapter[Command] = TypeAdapter(Command)


class CommandState(StrEnum):
    """`queued` here, `sent` to the pod, then one of the outcomes. `timed_out` means unknown."""

    QUEUED = "queued"
    SENT = "sent"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FAILED = "failed"
    INVALID = "invalid"
    TIMED_OUT = "timed_out"
    EXPIRED = "expired"
    OFFLINE = "offline"


OPEN = (CommandState.QUEUED, CommandState.SENT)
MAY_HAVE_WORKED = (*OPEN, CommandState.ACCEPTED, CommandState.TIMED_OUT)
"""What a station does may be the effect of such a command: a transaction can begin before the answer is in."""


ANSWERED = (CommandState.ACCEPTED, CommandState.REJECTED, CommandState.FAILED)


class EffectKind(StrEnum):
    """What a command was seen to bring about."""

    TRANSACTION_STARTED = "transaction_started"
    TRANSACTION_ENDED = "transaction_ended"


@dataclass(frozen=True, slots=True)
class StationCommand:
    """A command as it is stored, secrets masked."""

    command_id: str
    station_id: str
    type: str
    command: JsonObject
    state: CommandState
    issued_by: str
    idempotency_key: str | None
    created_at: datetime
    deadline_at: datetime
    sent_at: datetime | None = None
    completed_at: datetime | None = None
    status: str | None = None
    payload: JsonObject | None = None
    variables: tuple[ReportedVariable, ...] = ()
    error_code: str | None = None
    error_description: str | None = None
    effect_kind: EffectKind | None = None
    effect_transaction_id: str | None = None
    effect_at: datetime | None = None

    @property
    def outcome(self) -> CommandOutcome | None:
        """How it ended, None while it is under way."""
        return None if self.state in OPEN else CommandOutcome(self.state)

    @property
    def late(self) -> bool:
        """Whether the station answered after the deadline."""
        completed_at = self.completed_at if self.state in ANSWERED else None
        return completed_at is not None and completed_at > self.deadline_at

    def left_s(self, now: datetime) -> float:
        """Seconds that are left to send it: no more than it was given, though the clock was set back."""
        return min((self.deadline_at - now).total_seconds(), (self.deadline_at - self.created_at).total_seconds())

    def answered(self, answer: CommandAnswered, now: datetime) -> Self:
        """The command with what the station said, secrets masked."""
        return replace(
            self,
            state=CommandState(answer.outcome),
            completed_at=now,
            status=answer.status,
            payload=redacted(answer.payload),
            variables=redacted_variables(answer.variables),
            error_code=answer.error_code,
            error_description=answer.error_description,
        )

    def masked(self) -> Command:
        """The command itself, as far as others may see it."""
        return _COMMAND.validate_python(self.command)


def with_ids(command: Command, number: int) -> Command:
    """Give a command the id by which its effect will be known, where it has none: `number` is fresh."""
    match command:
        case StartCharging(remote_start_id=None):
            return command.model_copy(update={"remote_start_id": number})
        case GetVariables(request_id=None):
            return command.model_copy(update={"request_id": number})
        case _:
            return command


def masked_document(command: Command) -> JsonObject:
    """The command as JSON, secrets masked."""
    return redacted(command.model_dump(mode="json", exclude_none=True))
