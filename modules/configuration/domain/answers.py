"""What became of a command, whether its reply or the event tells it: both are recorded in the same way."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from shared_contracts.charge_points import CommandCompleted, CommandIssued
from shared_contracts.commands import CommandOutcome
from shared_contracts.stations import ReportedVariable

NUMBERS = range(-(2**31), 2**31)
"""Numbers of OCPP that are kept: its integers have 32 bits, whatever else a schema lets through."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of a command. Of two answers about the same thing, that with the later time counts."""

    command_id: str
    station_id: str
    outcome: CommandOutcome
    status: str | None
    variables: tuple[ReportedVariable, ...]
    issued_by: str
    at: datetime

    @classmethod
    def of_event(cls, event: CommandCompleted) -> Self:
        """As everybody is told."""
        return cls(
            event.command_id,
            event.station_id,
            event.outcome,
            event.status,
            event.variables,
            event.issued_by,
            event.completed_at,
        )

    @classmethod
    def of_reply(cls, reply: CommandIssued, station_id: str, issued_by: str, now: datetime) -> Self | None:
        """As the caller is told; None while the command is under way."""
        if reply.outcome is None:
            return None
        return cls(reply.command_id, station_id, reply.outcome, reply.status, reply.variables, issued_by, now)

    @property
    def accepted(self) -> bool:
        """Whether the station does what it was told."""
        return self.outcome is CommandOutcome.ACCEPTED
