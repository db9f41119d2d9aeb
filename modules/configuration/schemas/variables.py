"""Bodies and views of variables."""

from datetime import datetime
from typing import Self

from pydantic import ConfigDict, Field

from modules.configuration.domain.variables import Change, Variable, VariableKey
from modules.kernel.http import Body, Paging, View
from shared_contracts.charge_points import CommandIssued
from shared_contracts.commands import CommandOutcome, VariableChange


class VariableFilter(Paging):
    """Which variables to list."""

    component: str | None = Field(default=None, max_length=100, description="The exact component, whatever its case.")
    search: str | None = Field(default=None, max_length=100, description="Part of a component or name.")


class NewValue(VariableChange):
    """A value to set. OCPP 1.6 has names only; 2.x needs a component too."""

    model_config = ConfigDict(extra="forbid")


class NewValues(Body):
    """The variables to change, in this order."""

    changes: list[NewValue] = Field(min_length=1, max_length=50)


class NamedView(View):
    """What names a variable."""

    component: str | None
    component_instance: str | None
    evse_id: int | None
    connector_id: int | None
    name: str
    instance: str | None
    attribute: str


class VariableView(NamedView):
    """The last known value of a variable; secrets are masked."""

    value: str | None
    read_only: bool
    known_at: datetime

    @classmethod
    def of(cls, variable: Variable) -> Self:
        """Show a variable."""
        return cls(
            **_named(variable.key), value=variable.value, read_only=variable.read_only, known_at=variable.known_at
        )


class ChangeView(NamedView):
    """A change that was asked for and answered; secrets are masked."""

    command_id: str
    old_value: str | None
    new_value: str
    outcome: CommandOutcome
    status: str | None = Field(description="OCPP's word.")
    asked_by: str
    answered_at: datetime

    @classmethod
    def of(cls, change: Change) -> Self:
        """Show a change."""
        return cls(
            **_named(change.key),
            command_id=change.command_id,
            old_value=change.old_value,
            new_value=change.new_value,
            outcome=change.outcome,
            status=change.status,
            asked_by=change.asked_by,
            answered_at=change.answered_at,
        )


class ChangesView(View):
    """What became of changes. Without an `outcome` the station has not answered yet: follow the command."""

    command_id: str
    outcome: CommandOutcome | None
    changes: list[ChangeView]


class RefreshView(View):
    """What became of a refresh. `received` counts what came with the answer; OCPP 2.x reports the rest afterwards."""

    command_id: str
    outcome: CommandOutcome | None
    status: str | None
    received: int

    @classmethod
    def of(cls, issued: CommandIssued) -> Self:
        """Show the command."""
        return cls(
            command_id=issued.command_id,
            outcome=issued.outcome,
            status=issued.status,
            received=len(issued.variables),
        )


def _named(key: VariableKey) -> dict[str, str | int | None]:
    return {
        "component": key.component or None,
        "component_instance": key.component_instance or None,
        "evse_id": None if key.evse_id < 0 else key.evse_id,
        "connector_id": None if key.connector_id < 0 else key.connector_id,
        "name": key.name,
        "instance": key.instance or None,
        "attribute": key.attribute,
    }
