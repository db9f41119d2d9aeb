"""A command that timed out is completed by the answer that comes later (F29)."""

from typing import Any

from shared_contracts.charge_points import CommandCompleted, CompleteCommand
from shared_contracts.commands import CommandAnswered, CommandOutcome
from tests.harness import Running, running
from tests.modules.charge_points.edge import attach, never_answering, register

COMMANDS = "/charging-stations/CS1/commands"
RESET = {"type": "reset", "when": "immediate"}
ACCEPTED = CommandAnswered(outcome=CommandOutcome.ACCEPTED, status="Accepted")


async def _timed_out(strum: Running) -> str:
    await register(strum)
    await attach(strum, "CS1", never_answering)
    _, made = await strum.api().call("POST", COMMANDS, json=RESET, query={"timeout_s": 1})
    assert (made["state"], made["late"]) == ("timed_out", False)
    return str(made["command_id"])


async def _shown(strum: Running, command_id: str) -> dict[str, Any]:
    return dict((await strum.api().get(f"/commands/{command_id}"))[1])


async def test_a_late_answer_replaces_timed_out_once_and_is_shown_as_late(database: str) -> None:
    async with running(database, "charge_points") as strum:
        command_id = await _timed_out(strum)
        late = CompleteCommand(station_id="CS1", command_id=command_id, answer=ACCEPTED)
        noted = [(await strum.ask(late)).known for _ in range(2)]

        assert noted == [True, False]
        shown = await _shown(strum, command_id)
        assert (shown["state"], shown["status"], shown["late"]) == ("accepted", "Accepted", True)
        outcomes = [event.outcome for event in await strum.hear(CommandCompleted, 2)]
        assert outcomes == [CommandOutcome.TIMED_OUT, CommandOutcome.ACCEPTED]


async def test_a_station_completes_its_own_commands_only(database: str) -> None:
    async with running(database, "charge_points") as strum:
        command_id = await _timed_out(strum)
        foreign = CompleteCommand(station_id="CS2", command_id=command_id, answer=ACCEPTED)
        unknown = CompleteCommand(station_id="CS1", command_id="no-such", answer=ACCEPTED)

        assert [(await strum.ask(one)).known for one in (foreign, unknown)] == [False, False]
        assert (await _shown(strum, command_id))["state"] == "timed_out"


async def test_secrets_in_a_late_answer_are_masked(database: str) -> None:
    async with running(database, "charge_points") as strum:
        command_id = await _timed_out(strum)
        payload: Any = {"configurationKey": [{"key": "AuthorizationKey", "value": "canary-1"}]}
        answer = ACCEPTED.model_copy(update={"payload": payload})
        await strum.ask(CompleteCommand(station_id="CS1", command_id=command_id, answer=answer))

        assert "canary-1" not in str(await _shown(strum, command_id))
