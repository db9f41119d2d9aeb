"""Bodies and views of commands."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field, RootModel, TypeAdapter, WrapValidator

from modules.charge_points.domain.commands import CommandState, EffectKind, StationCommand
from modules.kernel.http import Body, Paging, View
from shared_contracts.commands import Command
from shared_contracts.message import JsonObject
from shared_contracts.stations import ReportedVariable

_COMMAND: TypeAdapter[Command] = TypeAdapter(Command)


def _without_unknown_fields(value: Any, _: object) -> Command:
    """Contracts ignore unknown fields, so that they may grow; in a request one is a typing error."""
    return _COMMAND.validate_python(value, extra="forbid")


class NewCommand(RootModel[Annotated[Command, WrapValidator(_without_unknown_fields)]]):
    """What to tell a station: `type` says which command it is."""


class CommandWait(Body):
    """How long to wait for what."""

    wait_s: float = Field(default=10, ge=0, le=60, description="How long the answer waits for the outcome.")
    timeout_s: float = Field(default=30, ge=1, le=300, description="After this the command is not sent any more.")


class CommandFilter(Paging):
    """Which commands to list."""

    state: list[CommandState] = []
    type: str | None = Field(default=None, max_length=64)


class EffectView(View):
    """The transaction that a command began or ended."""

    kind: EffectKind
    transaction_id: str
    observed_at: datetime


class CommandView(View):
    """A command and how it went; secrets are masked. `timed_out` means that the outcome is not known."""

    command_id: str
    station_id: str
    type: str
    command: JsonObject
    state: CommandState
    issued_by: str
    created_at: datetime
    deadline_at: datetime
    sent_at: datetime | None
    completed_at: datetime | None
    late: bool = Field(description="Whether the station answered after the deadline: until then it was `timed_out`.")
    status: str | None = Field(description="OCPP's word.")
    payload: JsonObject | None = Field(description="What the station answered, in OCPP's terms.")
    variables: list[ReportedVariable]
    error_code: str | None
    error_description: str | None
    effect: EffectView | None

    @classmethod
    def of(cls, command: StationCommand) -> Self:
        """Show a command."""
        return cls(
            command_id=command.command_id,
            station_id=command.station_id,
            type=command.type,
            command=command.command,
            state=command.state,
            issued_by=command.issued_by,
            created_at=command.created_at,
            deadline_at=command.deadline_at,
            sent_at=command.sent_at,
            completed_at=command.completed_at,
            late=command.late,
            status=command.status,
            payload=command.payload,
            variables=list(command.variables),
            error_code=command.error_code,
            error_description=command.error_description,
            effect=_effect(command),
        )


def _effect(command: StationCommand) -> EffectView | None:
    if command.effect_kind is None or command.effect_transaction_id is None or command.effect_at is None:
        return None
    return EffectView(
        kind=command.effect_kind, transaction_id=command.effect_transaction_id, observed_at=command.effect_at
    )
