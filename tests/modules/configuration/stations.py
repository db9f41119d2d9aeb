"""The module that keeps the commands, as far as this one meets it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from shared_contracts.bus import RequestFailed
from shared_contracts.charge_points import CommandCompleted, CommandIssued, IssueCommand
from shared_contracts.commands import Command, CommandOutcome, SetVariables
from shared_contracts.message import new_id
from shared_contracts.stations import ReportedVariable
from tests.harness import Running, running


@dataclass
class Commands:
    """Answers every command as `reply` says, and remembers what was asked."""

    reply: Callable[[IssueCommand], CommandIssued]
    asked: list[IssueCommand] = field(default_factory=list)

    def issue(self, message: IssueCommand) -> CommandIssued:
        self.asked.append(message)
        return self.reply(message)

    @property
    def last(self) -> Any:
        return self.asked[-1].command

    def answers(self, outcome: str = "accepted", **fields: Any) -> None:
        """From now on, every command ends so."""
        self.reply = lambda _: CommandIssued(command_id=new_id(), outcome=CommandOutcome(outcome), **fields)

    def never_answers(self) -> None:
        self.reply = lambda _: CommandIssued(command_id=new_id())

    def knows_no_station(self) -> None:
        def refuse(_: IssueCommand) -> CommandIssued:
            raise RequestFailed("not_found", "There is no charging station 'CS1'.")

        self.reply = refuse

    def sets(self, *statuses: str) -> None:
        """From now on, changes of variables end with these words of OCPP."""

        def reply(message: IssueCommand) -> CommandIssued:
            assert isinstance(message.command, SetVariables)
            variables = tuple(
                ReportedVariable(component=asked.component, name=asked.name, value=asked.value, status=status)
                for asked, status in zip(message.command.variables, statuses, strict=True)
            )
            good = set(statuses) <= {"Accepted", "RebootRequired"}
            outcome = CommandOutcome.ACCEPTED if good else CommandOutcome.REJECTED
            return CommandIssued(command_id=new_id(), outcome=outcome, variables=variables)

        self.reply = reply


@asynccontextmanager
async def configuring(database: str) -> AsyncIterator[tuple[Running, Commands]]:
    """Run the module beside a station `CS1` that accepts everything."""
    commands = Commands(lambda _: CommandIssued(command_id=new_id(), outcome=CommandOutcome.ACCEPTED))
    async with running(database, "configuration", fakes={IssueCommand: commands.issue}) as strum:
        yield strum, commands


def completed(command: Command, outcome: str = "accepted", **fields: Any) -> CommandCompleted:
    """What everybody is told of a command's end."""
    return CommandCompleted(
        **{
            "command_id": new_id(),
            "station_id": "CS1",
            "command": command,
            "outcome": CommandOutcome(outcome),
            "issued_by": "u-9",
            "completed_at": datetime.now(UTC),
            **fields,
        }
    )


async def set_aside(strum: Running) -> int:
    """How many messages the module could not handle."""
    (hosted,) = strum.management.hosted
    async with hosted.work() as work:
        found = await work.execute(text("SELECT count(*) FROM configuration.quarantine"))
        return int(found.scalar_one())
