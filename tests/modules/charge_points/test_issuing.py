"""Commands of other modules, keys that make a command be sent once, and commands that wait."""

import asyncio
import secrets

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared_contracts.bus import RequestFailed
from shared_contracts.charge_points import GetStationAccess, IssueCommand
from shared_contracts.commands import CommandAnswered, CommandOutcome, ExecuteCommand, ResetStation, StartCharging
from tests.harness import running
from tests.modules.charge_points.commands import read_command
from tests.modules.charge_points.edge import accepted, attach, never_answering, register


async def test_another_module_gets_the_outcome_of_its_command(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        await attach(strum, "CS1")
        reply = await strum.ask(IssueCommand(station_id="CS1", command=ResetStation(), issued_by="u-2"))
        assert (reply.outcome, reply.status) == (CommandOutcome.ACCEPTED, "Accepted")
        assert (await read_command(strum, reply.command_id))["issued_by"] == "u-2"


async def test_another_module_may_wait_for_less_than_the_outcome(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        await attach(strum, "CS1", never_answering)
        reply = await strum.ask(IssueCommand(station_id="CS1", command=ResetStation(), issued_by="u", wait_s=0.05))
        assert reply.outcome is None


async def test_commands_that_wait_for_their_stations_hold_up_no_station_that_comes(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        await attach(strum, "CS1", never_answering)
        wanted = IssueCommand(station_id="CS1", command=ResetStation(), issued_by="u", wait_s=9.0)
        waiting = [asyncio.create_task(strum.ask(wanted)) for _ in range(strum.bus.limits.concurrent_requests + 10)]
        async with asyncio.timeout(8):
            while (await strum.api().get("/charging-stations/CS1/commands"))[1]["items"] == []:
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.5)
            assert (await strum.ask(GetStationAccess(station_id="CS1"))).known
        for task in waiting:
            task.cancel()


async def test_a_key_that_the_host_gave_back_still_sends_no_second_command(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command was sent, and only to say so failed."""

    async def fail(*_: object) -> None:
        raise PoolTimeoutError("no connection")

    async with running(database, "charge_points") as strum:
        await register(strum)
        told = await attach(strum, "CS1", never_answering)
        body = {"type": "reset"}
        with monkeypatch.context() as broken:
            broken.setattr("modules.charge_points.service.dispatching.Dispatcher._unanswered", fail)
            path = "/charging-stations/CS1/commands?wait_s=0.2"
            assert (await strum.api().post(path, body, Idempotency_Key="k"))[0] == 503
        status, _ = await strum.api().post(path, body, Idempotency_Key="k")
        assert (status, len(told)) == (201, 1)


async def test_a_key_may_be_used_on_a_path_that_is_longer_than_what_an_index_takes(database: str) -> None:
    async with running(database, "charge_points") as strum:
        nowhere = f"/charging-stations/{secrets.token_hex(3000)}/commands"
        assert (await strum.api().post(nowhere, {"type": "reset"}, Idempotency_Key="k"))[0] == 404


async def test_a_command_under_way_has_its_answer_when_the_service_stops(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)

        async def slowly(command: ExecuteCommand) -> CommandAnswered:
            await asyncio.sleep(1.0)
            return accepted(command)

        await attach(strum, "CS1", slowly)
        wanted = IssueCommand(station_id="CS1", command=ResetStation(), issued_by="u", wait_s=0.05)
        command_id = (await strum.ask(wanted)).command_id
    async with running(database, "charge_points") as strum:
        assert (await read_command(strum, command_id))["state"] == "accepted"


async def test_another_module_is_refused_for_an_unknown_station(database: str) -> None:
    async with running(database, "charge_points") as strum:
        with pytest.raises(RequestFailed) as refused:
            await strum.ask(IssueCommand(station_id="none", command=ResetStation(), issued_by="u"))
        assert refused.value.code == "not_found"


async def test_the_same_key_is_the_same_command_even_while_it_is_under_way(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)

        async def slowly(command: ExecuteCommand) -> CommandAnswered:
            await asyncio.sleep(0.1)
            return accepted(command)

        told = await attach(strum, "CS1", slowly)
        wanted = IssueCommand(
            station_id="CS1", command=StartCharging(id_token="T1"), issued_by="u", idempotency_key="k"
        )
        replies = await asyncio.gather(*(strum.ask(wanted) for _ in range(3)))
        replies.append(await strum.ask(wanted))
        assert len({reply.command_id for reply in replies}) == 1
        assert replies[-1].outcome is CommandOutcome.ACCEPTED
        assert len(told) == 1
        with pytest.raises(RequestFailed) as refused:
            await strum.ask(wanted.model_copy(update={"command": StartCharging(id_token="T2")}))
        assert refused.value.code == "idempotency_key_reused"
