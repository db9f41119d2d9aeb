"""The zone of the times that a station gives without one."""

import pytest

from modules.charge_points.domain.stations import is_time_zone
from shared_contracts.charge_points import GetStationAccess, StationAccessChanged
from shared_contracts.users import Role
from tests.harness import running
from tests.modules.charge_points.edge import register

WRONG = (
    "",
    "Europe/Kyiv ",
    "europe/kyiv",
    "Europe",
    "Europe/Atlantis",
    "+02:00",
    "localtime",
    "Factory",
    "../../etc/passwd",
    "/usr/share/zoneinfo/UTC",
    "Europe/Kyiv\0",
    "x" * 5000,
)


@pytest.mark.parametrize("name", ["UTC", "Europe/Kyiv", "America/Argentina/Buenos_Aires", "Etc/GMT-14"])
def test_a_name_of_the_iana_database_is_a_zone(name: str) -> None:
    assert is_time_zone(name)


@pytest.mark.parametrize("name", WRONG)
def test_any_other_name_is_none(name: str) -> None:
    assert not is_time_zone(name)


async def test_the_zone_of_a_station_is_set_changed_and_removed_and_pods_are_told(database: str) -> None:
    async with running(database, "charge_points") as strum:
        made = await register(strum, time_zone="Europe/Kyiv")
        zones = [made["time_zone"], (await strum.ask(GetStationAccess(station_id="CS1"))).time_zone]
        for wanted in ("Asia/Kolkata", None):
            status, shown = await strum.api().patch("/charging-stations/CS1", {"time_zone": wanted})
            assert status == 200
            zones += [shown["time_zone"], (await strum.ask(GetStationAccess(station_id="CS1"))).time_zone]
        _, shown = await strum.api(Role.VIEWER).get("/charging-stations/CS1")

        assert zones == ["Europe/Kyiv"] * 2 + ["Asia/Kolkata"] * 2 + [None] * 2
        assert (shown["time_zone"], shown["revision"]) == (None, 3)
        await strum.hear(StationAccessChanged, 3)


async def test_a_station_has_no_zone_unless_an_operator_sets_one(database: str) -> None:
    async with running(database, "charge_points") as strum:
        assert (await register(strum))["time_zone"] is None
        status, _ = await strum.api(Role.VIEWER).patch("/charging-stations/CS1", {"time_zone": "UTC"})
        assert status == 403


async def test_what_is_no_zone_is_refused_and_changes_nothing(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum, time_zone="Europe/Kyiv")
        for value in (*WRONG, 2, True, ["UTC"], {}):
            status, problem = await strum.api().patch("/charging-stations/CS1", {"time_zone": value})
            another, _ = await strum.api().post("/charging-stations", {"station_id": "CS2", "time_zone": value})
            assert (status, another) == (422, 422), value
            assert {error["field"] for error in problem["errors"]} <= {"time_zone", ""}, "a NUL is refused before"
        _, shown = await strum.api().get("/charging-stations/CS1")
        assert shown["time_zone"] == "Europe/Kyiv"
