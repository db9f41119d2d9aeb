"""New passwords over the air, by the API: stored before they are sent, shown to nobody, settled by answer or login."""

import asyncio
import hashlib
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from shared_contracts.charge_points import CommandCompleted, GetStationAccess, StationAccess, StationAccessChanged
from shared_contracts.commands import CommandAnswered, CommandOutcome, ExecuteCommand, SetVariables, VariableChange
from shared_contracts.stations import ReportedVariable
from shared_contracts.users import Role
from tests.harness import Running, running
from tests.modules.charge_points.edge import Answer, accepted, attach, connected, never_answering, register

ROTATIONS = "/charging-stations/CS1/credential-rotations"
OLD = "correct horse battery"


def lost(_: ExecuteCommand) -> CommandAnswered:
    return CommandAnswered(outcome=CommandOutcome.TIMED_OUT, error_code="Disconnected")


def rejected(_: ExecuteCommand) -> CommandAnswered:
    return CommandAnswered(outcome=CommandOutcome.REJECTED, status="Rejected")


def new_password(told: list[ExecuteCommand]) -> VariableChange:
    command = told[-1].command
    assert isinstance(command, SetVariables)
    (change,) = command.variables
    return change


def name_of(access: StationAccess, password: str) -> str | None:
    """The name of the password among those that admit the station."""
    for one in access.passwords:
        if hashlib.sha256(one.salt.encode() + password.encode()).hexdigest() == one.hash:
            return one.name
    return None


async def access_of(strum: Running) -> StationAccess:
    return await strum.ask(GetStationAccess(station_id="CS1"))


async def with_station(strum: Running, answer: Answer, version: str = "1.6") -> list[ExecuteCommand]:
    await register(strum, password=OLD)
    await strum.publish(connected("CS1", 1).model_copy(update={"ocpp_version": version}))
    return await attach(strum, "CS1", answer)


async def test_a_station_of_1_6_gets_40_hexadecimal_digits_and_keeps_them_alone(database: str) -> None:
    async with running(database, "charge_points") as strum:
        told = await with_station(strum, accepted)
        client = strum.api(Role.OPERATOR)
        status, made = await client.post(ROTATIONS)
        access, change = await access_of(strum), new_password(told)

        assert (status, made["state"]) == (201, "taken")
        assert (change.component, change.name, len(bytes.fromhex(change.value))) == (None, "AuthorizationKey", 20)
        assert name_of(access, change.value) is not None
        assert name_of(access, OLD) is None
        assert len(access.passwords) == 1
        assert await client.get(f"{ROTATIONS}/{made['rotation_id']}") == (200, made)
        assert (await client.get(ROTATIONS))[1]["items"] == [made]


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_a_station_of_2_x_gets_40_characters_that_every_password_may_have(database: str, version: str) -> None:
    async with running(database, "charge_points") as strum:
        told = await with_station(strum, accepted, version)
        await strum.api().post(ROTATIONS)
        change = new_password(told)

        assert (change.component, change.name, len(change.value)) == ("SecurityCtrlr", "BasicAuthPassword", 40)
        assert change.value.replace("-", "").replace("_", "").replace(".", "").isalnum()
        assert change.value.isascii()
        assert name_of(await access_of(strum), change.value) is not None


async def test_no_two_rotations_make_the_same_password(database: str) -> None:
    async with running(database, "charge_points") as strum:
        told = await with_station(strum, accepted)
        for _ in range(3):
            await strum.api().post(ROTATIONS)
        assert len({new_password([one]).value for one in told}) == 3


async def test_the_new_password_is_valid_before_the_station_has_it(database: str) -> None:
    seen: list[StationAccess] = []

    async with running(database, "charge_points") as strum:

        async def look(command: ExecuteCommand) -> CommandAnswered:
            seen.append(await access_of(strum))
            return accepted(command)

        told = await with_station(strum, look)
        await strum.api().post(ROTATIONS)

        assert name_of(seen[0], OLD) is not None
        assert name_of(seen[0], new_password(told).value) is not None
        assert seen[0].password_hash == seen[0].passwords[0].hash


async def test_a_station_that_rejects_keeps_the_old_password_alone(database: str) -> None:
    async with running(database, "charge_points") as strum:
        told = await with_station(strum, rejected)
        _, made = await strum.api().post(ROTATIONS)
        access = await access_of(strum)

        assert made["state"] == "not_taken"
        assert (len(access.passwords), name_of(access, new_password(told).value)) == (1, None)


@pytest.mark.parametrize("kept", ["old", "new"])
async def test_where_the_answer_was_lost_both_are_valid_until_the_next_login_tells(database: str, kept: str) -> None:
    async with running(database, "charge_points") as strum:
        told = await with_station(strum, lost)
        _, made = await strum.api().post(ROTATIONS)
        new = new_password(told).value
        both = await access_of(strum)
        await strum.hear(StationAccessChanged, 3)
        login = connected("CS1", 2).model_copy(
            update={"password_name": name_of(both, OLD if kept == "old" else new), "access_revision": both.revision}
        )
        await strum.publish(login)
        left = await access_of(strum)

        assert made["state"] == "unconfirmed"
        assert (len(both.passwords), name_of(both, OLD) is None, name_of(both, new) is None) == (2, False, False)
        assert [name_of(left, OLD) is not None, name_of(left, new) is not None] == [kept == "old", kept == "new"]
        await strum.hear(StationAccessChanged, 4)
        state = (await strum.api().get(f"{ROTATIONS}/{made['rotation_id']}"))[1]["state"]
        assert state == ("taken" if kept == "new" else "not_taken")


async def test_a_connection_from_before_the_answer_was_lost_settles_nothing(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await with_station(strum, lost)
        before = await access_of(strum)
        await strum.api().post(ROTATIONS)
        login = connected("CS1", 2).model_copy(
            update={"password_name": name_of(before, OLD), "access_revision": before.revision}
        )
        await strum.publish(login, login)

        assert len((await access_of(strum)).passwords) == 2


async def test_while_one_is_under_way_another_is_refused(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await with_station(strum, never_answering)
        client = strum.api()
        _, first = await client.call("POST", ROTATIONS, query={"wait_s": 0})
        status, problem = await client.post(ROTATIONS)

        assert (status, problem["code"], problem["rotation_id"]) == (409, "rotation_under_way", first["rotation_id"])


async def test_after_three_in_doubt_a_fourth_is_refused(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await with_station(strum, lost)
        for _ in range(3):
            assert (await strum.api().post(ROTATIONS))[0] == 201
        status, problem = await strum.api().post(ROTATIONS)

        assert (status, problem["code"]) == (409, "rotations_unconfirmed")
        assert len((await access_of(strum)).passwords) == 4


async def test_a_station_that_is_not_connected_keeps_its_password(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum, password=OLD)
        _, made = await strum.api().post(ROTATIONS)

        assert made["state"] == "not_taken"
        assert len((await access_of(strum)).passwords) == 1


async def test_an_unknown_station_has_no_rotations(database: str) -> None:
    async with running(database, "charge_points") as strum:
        for method in ("GET", "POST"):
            assert (await strum.api().call(method, ROTATIONS))[0] == 404
        assert (await strum.api().get(f"{ROTATIONS}/none"))[0] == 404


async def test_the_new_password_is_nowhere_but_at_the_station(database: str, caplog: Any, capfd: Any) -> None:
    """Not in the API, not among the commands, in no event, in no table, in no log: A01.FR.08 and FR.09."""

    def talkative(command: ExecuteCommand) -> CommandAnswered:
        assert isinstance(command.command, SetVariables)
        (change,) = command.command.variables
        variable = ReportedVariable(name=change.name, value=change.value, status="Accepted")
        echo = {"status": "Accepted", "key": change.name, "value": change.value}
        return CommandAnswered(
            outcome=CommandOutcome.ACCEPTED, status="Accepted", payload=dict(echo), variables=(variable,)
        )

    async with running(database, "charge_points", "diagnostics") as strum:
        told = await with_station(strum, talkative)
        client = strum.api()
        _, made = await client.post(ROTATIONS)
        secret = new_password(told).value
        answers = [
            made,
            *[
                (await client.get(path))[1]
                for path in (
                    ROTATIONS,
                    "/charging-stations/CS1",
                    "/charging-stations/CS1/commands",
                    f"/commands/{made['command_id']}",
                )
            ],
        ]
        await strum.hear(CommandCompleted)
        await asyncio.sleep(0.2)

        assert secret not in str(answers)
        assert secret not in str(strum.events)
        assert secret not in await _everything(database)
        assert secret not in caplog.text + "".join(capfd.readouterr())


async def _everything(database: str) -> str:
    """All rows of both modules, as text."""
    engine = create_async_engine(database)
    found: list[str] = []
    async with engine.connect() as connection:
        names = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('charge_points', 'diagnostics')"
        for schema, table in (await connection.execute(text(names))).all():
            found += (await connection.execute(text(f'SELECT t::text FROM "{schema}"."{table}" t'))).scalars()
    await engine.dispose()
    return "\n".join(found)
