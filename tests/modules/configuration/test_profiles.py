"""Charging profiles: sent, replaced, taken back."""

import asyncio
from typing import Any

import pytest

from shared_contracts.charge_points import CommandIssued, IssueCommand
from shared_contracts.commands import ChargingProfile, ClearChargingProfile, CommandOutcome, SetChargingProfile
from shared_contracts.message import new_id
from tests.harness import Running, running
from tests.modules.configuration.stations import completed, configuring, set_aside

PROFILES = "/charging-stations/CS1/charging-profiles"
PERIODS: list[dict[str, Any]] = [{"start_s": 0, "limit": 16}]


def _body(profile_id: int = 5, *, evse_id: int = 1, **profile: Any) -> dict[str, Any]:
    return {"evse_id": evse_id, "profile": {"id": profile_id, "periods": PERIODS, **profile}}


async def _states(strum: Running) -> dict[int, str]:
    _, page = await strum.api().get(PROFILES)
    return {profile["profile_id"]: profile["state"] for profile in page["items"]}


async def test_a_profile_is_sent_and_shown(database: str) -> None:
    async with configuring(database) as (strum, commands):
        commands.answers(status="Accepted")
        client = strum.api()
        status, sent = await client.post(PROFILES, _body(periods=[{"start_s": 0, "limit": "16.5"}]))
        assert status == 201
        assert client.response is not None
        assert client.response.headers["Location"] == f"/api/v1{PROFILES}/5"
        assert (sent["state"], sent["status"], sent["profile"]["periods"][0]["limit"]) == (
            "installed",
            "Accepted",
            "16.5",
        )
        assert commands.last.profile == ChargingProfile.model_validate(
            {"id": 5, "periods": [{"start_s": 0, "limit": "16.5"}]}
        )
        assert (await client.get(f"{PROFILES}/5"))[1] == sent


async def test_a_profile_without_an_id_gets_one(database: str) -> None:
    async with configuring(database) as (strum, commands):
        status, sent = await strum.api().post(PROFILES, {"profile": {"periods": PERIODS}})
        assert status == 201
        assert sent["profile_id"] == commands.last.profile.id >= 1
        assert sent["evse_id"] == 0


async def test_a_refused_profile_does_not_hide_the_one_that_is_installed(database: str) -> None:
    async with configuring(database) as (strum, commands):
        _, first = await strum.api().post(PROFILES, _body())
        commands.answers("rejected")
        status, second = await strum.api().post(PROFILES, _body(unit="W"))
        await strum.api().post(PROFILES, _body(6, evse_id=2))
        assert (status, second["state"]) == (201, "rejected")
        assert (await strum.api().get(f"{PROFILES}/5"))[1] == first
        assert await _states(strum) == {5: "installed", 6: "rejected"}


async def test_a_profile_of_the_same_kind_and_level_is_replaced(database: str) -> None:
    async with configuring(database) as (strum, _):
        await strum.api().post(PROFILES, _body(1))
        await strum.api().post(PROFILES, _body(2, stack_level=1))
        await strum.api().post(PROFILES, _body(3, evse_id=2))
        await strum.api().post(PROFILES, _body(4))
        assert await _states(strum) == {1: "replaced", 2: "installed", 3: "installed", 4: "installed"}


async def test_a_profile_without_an_answer_is_unknown_until_the_answer_is_told(database: str) -> None:
    async with configuring(database) as (strum, commands):
        commands.never_answers()
        _, sent = await strum.api().post(PROFILES, _body())
        assert sent["state"] == "unknown"
        await strum.publish(completed(commands.last, command_id=sent["command_id"]))
        assert await _states(strum) == {5: "installed"}


async def test_a_cleared_profile_is_gone(database: str) -> None:
    async with configuring(database) as (strum, commands):
        await strum.api().post(PROFILES, _body(5))
        await strum.api().post(PROFILES, _body(6, evse_id=2))
        status, _ = await strum.api().delete(f"{PROFILES}/5")
        assert status == 204
        assert commands.last == ClearChargingProfile(profile_id=5)
        assert await _states(strum) == {5: "cleared", 6: "installed"}


async def test_a_profile_that_the_station_does_not_have_is_cleared_or_unknown(database: str) -> None:
    async with configuring(database) as (strum, commands):
        await strum.api().post(PROFILES, _body())
        commands.answers("rejected", status="Unknown")
        assert (await strum.api().delete(f"{PROFILES}/5"))[0] == 204
        assert (await strum.api().delete(f"{PROFILES}/6"))[0] == 404
        assert await _states(strum) == {5: "cleared"}


async def test_a_profile_that_the_station_keeps_stays(database: str) -> None:
    async with configuring(database) as (strum, commands):
        await strum.api().post(PROFILES, _body())
        for outcome in ("rejected", "timed_out"):
            commands.answers(outcome)
            status, problem = await strum.api().delete(f"{PROFILES}/5")
            assert (status, problem["code"], problem["outcome"]) == (409, "command_refused", outcome)
        assert await _states(strum) == {5: "installed"}


async def test_commands_that_others_issued_are_recorded_too(database: str) -> None:
    async with configuring(database) as (strum, _):
        profiles = [
            ChargingProfile.model_validate({"id": number, "stack_level": number, "periods": PERIODS})
            for number in (1, 2, 2**40)
        ]
        for profile in profiles:
            await strum.publish(completed(SetChargingProfile(evse_id=1, profile=profile)))
        await strum.publish(completed(SetChargingProfile(evse_id=1, profile=profiles[1]), "offline"))
        assert await _states(strum) == {1: "installed", 2: "installed"}
        await strum.publish(completed(ClearChargingProfile(stack_level=2**40)))
        await strum.publish(completed(ClearChargingProfile(stack_level=1, purpose="tx")))
        assert await _states(strum) == {1: "installed", 2: "installed"}
        await strum.publish(completed(ClearChargingProfile(stack_level=1)))
        assert await _states(strum) == {1: "cleared", 2: "installed"}
        assert await set_aside(strum) == 0


async def test_a_clearing_told_late_does_not_clear_what_was_sent_after_it(database: str) -> None:
    async with configuring(database) as (strum, _):
        clearing = completed(ClearChargingProfile())
        await strum.api().post(PROFILES, _body())
        await strum.publish(clearing)
        assert await _states(strum) == {5: "installed"}


async def test_profiles_are_listed_by_id_in_pages_and_by_state(database: str) -> None:
    async with configuring(database) as (strum, commands):
        for number in range(1, 4):
            await strum.api().post(PROFILES, _body(number, stack_level=number))
        commands.answers("rejected")
        await strum.api().post(PROFILES, _body(9))
        _, first = await strum.api().get(PROFILES, limit=3)
        _, second = await strum.api().get(PROFILES, limit=3, cursor=first["next_cursor"])
        _, rejected = await strum.api().get(PROFILES, state="rejected")
        assert [profile["profile_id"] for profile in first["items"] + second["items"]] == [1, 2, 3, 9]
        assert [profile["profile_id"] for profile in rejected["items"]] == [9]


async def test_an_offline_station_gets_no_profile(database: str) -> None:
    async with configuring(database) as (strum, commands):
        commands.answers("offline")
        assert (await strum.api().post(PROFILES, _body()))[1]["code"] == "station_offline"
        assert (await strum.api().delete(f"{PROFILES}/5"))[1]["code"] == "station_offline"
        assert await _states(strum) == {}


@pytest.mark.parametrize(
    "profile_id", ["x", "-1", "٣", "2147483648", "9" * 5000, "0" * 10 + "1" * 4301, "00" + "9" * 11]
)
async def test_an_id_that_ocpp_cannot_have_is_not_found(database: str, profile_id: str) -> None:
    async with configuring(database) as (strum, commands):
        assert (await strum.api().get(f"{PROFILES}/{profile_id}"))[0] == 404
        assert (await strum.api().delete(f"{PROFILES}/{profile_id}"))[0] == 404
        assert commands.asked == []


@pytest.mark.parametrize(
    "body",
    [
        _body(periods=[]),
        _body(0),
        _body(2**31),
        _body(stack_level=-1),
        _body(unit="kW"),
        _body(periods=[{"start_s": 0, "limit": -1}]),
        _body(periods=[{"start_s": 0, "limit": "NaN"}]),
        _body(colour="red"),
        _body(evse_id=-1),
        {"evse_id": 1},
    ],
)
async def test_a_profile_that_does_not_fit_is_refused(database: str, body: Any) -> None:
    async with configuring(database) as (strum, commands):
        assert (await strum.api().post(PROFILES, body))[0] == 422
        assert commands.asked == []


@pytest.mark.parametrize(("path", "body"), [(PROFILES, _body()), ("/charging-stations/CS1/variables/refresh", None)])
async def test_who_waits_for_a_station_holds_no_connection(database: str, path: str, body: Any) -> None:
    """The key of the request is stored first; a few silent stations must not take the API away from everybody."""
    asked, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def issue(_: IssueCommand) -> CommandIssued:
        asked.release()
        await go_on.wait()
        return CommandIssued(command_id=new_id(), outcome=CommandOutcome.ACCEPTED)

    async with running(database, "configuration", fakes={IssueCommand: issue}) as strum, asyncio.timeout(20):
        (hosted,) = strum.management.hosted
        calls = [asyncio.create_task(strum.api().post(path, body, Idempotency_Key=f"k{n}")) for n in range(3)]
        for _ in calls:
            await asked.acquire()
        assert hosted.database.serving.pool.checkedout() == 0  # type: ignore[attr-defined]  # of the pool in use
        go_on.set()
        assert {(await call)[0] for call in calls} <= {200, 201}
        repeated = strum.api()
        assert (await repeated.post(path, body, Idempotency_Key="k0"))[0] in {200, 201}
        assert repeated.response is not None
        assert repeated.response.headers["Idempotency-Replayed"] == "true"
