"""Reading and changing variables; remembering what stations told of them."""

from collections.abc import Sequence
from dataclasses import replace

from modules.configuration.domain.answers import Answer
from modules.configuration.domain.variables import Change, Variable, VariableKey, changes, known, taken
from modules.configuration.repository import variables as stored
from modules.configuration.service.asking import ask_station
from modules.kernel.work import Work
from shared_contracts.charge_points import CommandIssued
from shared_contracts.commands import GetVariables, SetVariables, VariableChange
from shared_contracts.stations import VariablesReported


async def refresh(work: Work, station_id: str, *, issued_by: str) -> CommandIssued:
    """Read all variables anew: 1.6 answers with them, 2.x reports them afterwards."""
    issued, answer = await ask_station(work, station_id, GetVariables(), issued_by=issued_by)
    if answer is not None:
        await record_values(work, answer)
    return issued


async def change(
    work: Work, station_id: str, asked: Sequence[VariableChange], *, issued_by: str
) -> tuple[CommandIssued, Sequence[Change]]:
    """Change variables; returns what became of each, nothing while the command is under way."""
    command = SetVariables(variables=tuple(asked))
    issued, answer = await ask_station(work, station_id, command, issued_by=issued_by)
    if answer is None:
        return issued, ()
    await record_changes(work, command, answer)
    return issued, await stored.changes_of(work, issued.command_id)


async def list_variables(
    work: Work, station_id: str, *, component: str | None, text: str | None, after: VariableKey | None, limit: int
) -> Sequence[Variable]:
    """The last known values, in the order of their names."""
    return await stored.list_variables(work, station_id, component=component, text=text, after=after, limit=limit)


async def list_changes(work: Work, station_id: str, *, before: tuple[str, int] | None, limit: int) -> Sequence[Change]:
    """Changes that were asked for and answered, newest first."""
    return await stored.list_changes(work, station_id, before=before, limit=limit)


async def record_values(work: Work, answer: Answer) -> None:
    """Remember the values that a station answered with."""
    values = known(answer.station_id, answer.variables, answer.at)
    if values:
        await stored.store(work, values.values())


async def record_changes(work: Work, command: SetVariables, answer: Answer) -> None:
    """Remember the changes that a station was asked for, and the values that it took."""
    done = changes(command.variables, answer)
    if done:
        await stored.store_changes(work, done)
    values = taken(done)
    if values:
        await stored.store(work, values.values())


async def record_reports(work: Work, reports: Sequence[VariablesReported]) -> None:
    """Remember the values that stations reported, in the order that they came."""
    latest: dict[tuple[str, VariableKey], Variable] = {}
    for report in reports:
        for key, variable in known(report.station_id, report.variables, work.now).items():
            earlier = latest.get((report.station_id, key))
            read_only = variable.read_only or (earlier is not None and earlier.read_only)
            latest[report.station_id, key] = replace(variable, read_only=read_only)
    if latest:
        await stored.store(work, latest.values())
