"""Variables of a station (OCPP 2.x) and configuration keys (1.6), and changes to them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Self

from modules.configuration.domain.answers import NUMBERS, Answer
from modules.kernel.secrets import masked_value
from shared_contracts.commands import CommandOutcome, VariableChange
from shared_contracts.stations import ReportedVariable

MOST_VARIABLES = 20_000
"""Per station: ten times what a large device model has."""

_LONGEST_NAME = 100
_LONGEST_VALUE = 10_000
_NONE = -1
_GOOD = frozenset({None, "Accepted", "RebootRequired"})


class VariableKey(NamedTuple):
    """What names a variable; '' and -1 stand for what is not given, so that names can be compared and sorted."""

    component: str
    name: str
    instance: str
    evse_id: int
    connector_id: int
    component_instance: str
    attribute: str

    @classmethod
    def of(cls, named: ReportedVariable | VariableChange) -> Self:
        """The key of a variable, its texts no longer than OCPP's names ever are."""
        return cls(
            component=(named.component or "")[:_LONGEST_NAME],
            name=named.name[:_LONGEST_NAME],
            instance=(named.instance or "")[:_LONGEST_NAME],
            evse_id=_NONE if named.evse_id is None else named.evse_id,
            connector_id=_NONE if named.connector_id is None else named.connector_id,
            component_instance=(named.component_instance or "")[:_LONGEST_NAME],
            attribute=named.attribute[:_LONGEST_NAME],
        )

    @property
    def storable(self) -> bool:
        """Whether the numbers are such as OCPP has."""
        return self.evse_id in NUMBERS and self.connector_id in NUMBERS


@dataclass(frozen=True, slots=True)
class Variable:
    """The last known value of a variable; secrets are masked. `read_only` once the station said so."""

    station_id: str
    key: VariableKey
    value: str | None
    read_only: bool
    known_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """A value that a station was told to take. `outcome` is of this change, not of the whole command."""

    station_id: str
    command_id: str
    position: int
    key: VariableKey
    old_value: str | None
    new_value: str
    outcome: CommandOutcome
    status: str | None
    asked_by: str
    answered_at: datetime


def known(station_id: str, variables: Iterable[ReportedVariable], at: datetime) -> Mapping[VariableKey, Variable]:
    """The variables that a station told the value of; the last counts where one comes twice."""
    found: dict[VariableKey, Variable] = {}
    for variable in variables:
        key = VariableKey.of(variable)
        if variable.status in _GOOD and key.storable:
            found[key] = Variable(station_id, key, _shown(key, variable.value), variable.read_only, at)
    return found


def changes(asked: tuple[VariableChange, ...], answer: Answer) -> tuple[Change, ...]:
    """One change per variable asked for. Stations answer in the order asked; where they do not, the whole counts."""
    statuses = [variable.status for variable in answer.variables]
    statuses += [None] * (len(asked) - len(statuses))
    return tuple(
        Change(
            station_id=answer.station_id,
            command_id=answer.command_id,
            position=position,
            key=key,
            old_value=None,
            new_value=masked_value(key.name, variable.value),
            outcome=_outcome(status, answer.outcome),
            status=status or answer.status,
            asked_by=answer.issued_by,
            answered_at=answer.at,
        )
        for position, (variable, status) in enumerate(zip(asked, statuses, strict=False))
        if (key := VariableKey.of(variable)).storable
    )


def taken(done: Iterable[Change]) -> Mapping[VariableKey, Variable]:
    """The variables as they are after the changes that were accepted."""
    return {
        change.key: Variable(change.station_id, change.key, change.new_value, False, change.answered_at)
        for change in done
        if change.outcome is CommandOutcome.ACCEPTED
    }


def _outcome(status: str | None, whole: CommandOutcome) -> CommandOutcome:
    if status is None:
        return whole
    return CommandOutcome.ACCEPTED if status in _GOOD else CommandOutcome.REJECTED


def _shown(key: VariableKey, value: str | None) -> str | None:
    return None if value is None else masked_value(key.name, value)[:_LONGEST_VALUE]
