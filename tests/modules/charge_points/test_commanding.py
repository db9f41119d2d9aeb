"""Commands by the API: states, outcomes, lists."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from modules.charge_points.service import commanding
from shared_contracts.charge_points import CommandCompleted
from shared_contracts.commands import CommandAnswered, CommandOutcome, ExecuteCommand, ResetStation
from shared_contracts.users import Role
from tests.harness import running
from tests.modules.charge_points.commands import COMMANDS, RESET, become, read_command
from tests.modules.charge_points.edge import accepted, attach, never_answering, register


async def test_a_command_is_told_to_the_station_and_its_answer_told_to_all(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        told = await attach(strum, "CS1")
        client = strum.api(Role.OPERATOR, "op-7")
        status, made = await client.post(COMMANDS, RESET)
        assert status == 201
        assert client.response is not None
        assert client.response.headers["Location"] == f"/api/v1/commands/{made['command_id']}"
        assert (made["state"], made["status"], made["payload"]) == ("accepted", "Accepted", {"status": "Accepted"})
        assert (made["issued_by"], made["command"]) == ("op-7", RESET)
        assert [command.command for command in told] == [ResetStation(when="immediate")]
        assert await read_command(strum, made["command_id"]) == made
        (completed,) = await strum.hear(CommandCompleted)
        assert (completed.command_id, completed.outcome) == (made["command_id"], CommandOutcome.ACCEPTED)
        assert completed.command == ResetStation(when="immediate")


async def test_a_station_that_is_not_connected_leaves_its_command_offline_at_once(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        async with asyncio.timeout(2):
            status, made = await strum.api().post(COMMANDS, RESET)
        assert (status, made["state"]) == (201, "offline")
        assert (await strum.hear(CommandCompleted))[0].outcome is CommandOutcome.OFFLINE


async def test_a_station_that_is_not_registered_is_not_told_anything(database: str) -> None:
    async with running(database, "charge_points") as strum:
        told = await attach(strum, "CS1")
        status, problem = await strum.api().post(COMMANDS, RESET)
        assert (status, problem["code"], told) == (404, "not_found", [])


@pytest.mark.parametrize("outcome", ["rejected", "failed", "invalid", "expired", "timed_out"])
async def test_the_outcome_that_the_edge_tells_is_the_state(database: str, outcome: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        answer = CommandAnswered(outcome=CommandOutcome(outcome), error_code="E", error_description="why")
        await attach(strum, "CS1", lambda _: answer)
        _, made = await strum.api().post(COMMANDS, RESET)
        assert (made["state"], made["error_code"], made["error_description"]) == (outcome, "E", "why")


async def test_who_does_not_wait_sees_the_command_under_way_and_later_its_outcome(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        go_on = asyncio.Event()

        async def slowly(command: ExecuteCommand) -> CommandAnswered:
            await go_on.wait()
            return accepted(command)

        await attach(strum, "CS1", slowly)
        status, made = await strum.api().call("POST", COMMANDS, json=RESET, query={"wait_s": 0})
        assert (status, made["state"]) == (201, "queued")
        sent = await become(strum, made["command_id"], "sent")
        go_on.set()
        done = await become(strum, made["command_id"], "accepted")
        assert sent["sent_at"] is not None
        assert done["sent_at"] == sent["sent_at"]


async def test_the_deadline_of_a_command_counts_from_when_it_was_issued(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        told = await attach(strum, "CS1")
        _, made = await strum.api().call("POST", COMMANDS, json=RESET, query={"timeout_s": 7})
        issued_at = datetime.fromisoformat(made["created_at"])
        assert told[0].expires_at == issued_at + timedelta(seconds=7)


async def test_a_command_without_an_answer_is_timed_out(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        await attach(strum, "CS1", never_answering)
        _, made = await strum.api().call("POST", COMMANDS, json=RESET, query={"timeout_s": 1})
        assert made["state"] == "timed_out"


async def test_what_a_crash_left_under_way_is_given_up_and_not_sent_again(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        told = await attach(strum, "CS1")
        (hosted,) = strum.management.hosted
        async with hosted.work() as work:
            order = await commanding.issue(
                work, station_id="CS1", command=ResetStation(), issued_by="u-1", timeout_s=1.0
            )
        async with hosted.work() as work:
            early = await commanding.give_up_overdue(work, grace=timedelta(seconds=10))
            await work.execute(text("UPDATE charge_points.commands SET deadline_at = now() - interval '1 minute'"))
            late = await commanding.give_up_overdue(work, grace=timedelta(seconds=10))
        assert (early, late) == (0, 1)
        assert (await read_command(strum, order.remembered.command_id))["state"] == "timed_out"
        assert (await strum.hear(CommandCompleted))[0].outcome is CommandOutcome.TIMED_OUT
        assert told == []


async def test_an_answer_after_the_giving_up_still_completes_the_command(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        go_on = asyncio.Event()

        async def slowly(command: ExecuteCommand) -> CommandAnswered:
            await go_on.wait()
            return accepted(command)

        await attach(strum, "CS1", slowly)
        _, made = await strum.api().call("POST", COMMANDS, json=RESET, query={"wait_s": 0})
        (hosted,) = strum.management.hosted
        async with hosted.work() as work:
            await commanding.give_up_overdue(work, grace=timedelta(minutes=-10))
        go_on.set()
        await become(strum, made["command_id"], "accepted")
        outcomes = [event.outcome for event in await strum.hear(CommandCompleted, 2)]
        assert outcomes == [CommandOutcome.TIMED_OUT, CommandOutcome.ACCEPTED]


async def test_the_commands_of_a_station_are_listed_newest_first_and_filtered(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        ids = [(await strum.api().post(COMMANDS, RESET))[1]["command_id"]]
        await attach(strum, "CS1")
        bodies: tuple[Any, ...] = (RESET, {"type": "get_variables"})
        ids += [(await strum.api().post(COMMANDS, body))[1]["command_id"] for body in bodies]
        _, first = await strum.api().get(COMMANDS, limit=2)
        _, second = await strum.api().get(COMMANDS, limit=2, cursor=first["next_cursor"])
        listed = [command["command_id"] for command in first["items"] + second["items"]]
        _, offline = await strum.api().get(COMMANDS, state="offline")
        _, reads = await strum.api().get(COMMANDS, type="get_variables")
        assert listed == ids[::-1]
        assert [command["command_id"] for command in offline["items"]] == ids[:1]
        assert [command["command_id"] for command in reads["items"]] == ids[2:]
        assert (await strum.api().get("/charging-stations/none/commands"))[0] == 404
        assert (await strum.api().get("/commands/none"))[0] == 404
