"""Charging stations by the API."""

import hashlib
from typing import Any

import pytest

from shared_contracts.charge_points import (
    GetStationAccess,
    Registration,
    StationAccessChanged,
    StationRegistered,
    StationRemoved,
)
from shared_contracts.users import Role
from tests.harness import Running, running
from tests.modules.charge_points.edge import connected, register


def _admits(access: Any, password: str) -> bool:
    digest = hashlib.sha256(access.password_salt.encode() + password.encode()).hexdigest()
    return bool(digest == access.password_hash)


async def test_a_registered_station_gets_a_password_that_admits_it_and_is_shown_once(database: str) -> None:
    async with running(database, "charge_points") as strum:
        made = await register(strum, friendly_name=" Yard ", latitude=50.4501, longitude="30.523400")
        access = await strum.ask(GetStationAccess(station_id="CS1"))
        _, shown = await strum.api().get("/charging-stations/CS1")
        assert _admits(access, str(made["password"]))
        assert (access.known, access.registration, access.security_profile) == (True, Registration.ACCEPTED, 1)
        assert "password" not in shown
        assert shown["has_password"] is True
        assert (shown["friendly_name"], shown["latitude"], shown["longitude"]) == ("Yard", "50.450100", "30.523400")
        assert [event.station_id for event in await strum.hear(StationRegistered)] == ["CS1"]


async def test_a_chosen_password_admits_the_station_and_is_not_shown(database: str) -> None:
    async with running(database, "charge_points") as strum:
        made = await register(strum, password="correct horse battery")
        assert made["password"] is None
        assert _admits(await strum.ask(GetStationAccess(station_id="CS1")), "correct horse battery")


async def test_a_new_password_replaces_the_old_one_and_pods_are_told(database: str) -> None:
    async with running(database, "charge_points") as strum:
        old = await register(strum)
        status, rotated = await strum.api().post("/charging-stations/CS1/password", {})
        access = await strum.ask(GetStationAccess(station_id="CS1"))
        assert status == 200
        assert len(rotated["password"]) >= 16
        assert _admits(access, rotated["password"])
        assert not _admits(access, str(old["password"]))
        await strum.hear(StationAccessChanged, 2)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"station_id": ""}, "station_id"),
        ({"station_id": "a:b"}, "station_id"),
        ({"station_id": "a/b"}, "station_id"),
        ({"station_id": ".."}, "station_id"),
        ({"station_id": "x" * 49}, "station_id"),
        ({"station_id": "new\nline"}, "station_id"),
        ({"password": "too short"}, "password"),
        ({"password": "x" * 65}, "password"),
        ({"security_profile": 4}, "security_profile"),
        ({"latitude": 90.1}, "latitude"),
        ({"longitude": "NaN"}, "longitude"),
        ({"latitude": "1e999"}, "latitude"),
        ({"registration": "maybe"}, "registration"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_station_that_does_not_fit_is_refused_and_the_field_named(
    database: str, fields: dict[str, Any], named: str
) -> None:
    async with running(database, "charge_points") as strum:
        status, problem = await strum.api().post("/charging-stations", {"station_id": "CS1", **fields})
        assert status == 422
        assert [error["field"] for error in problem["errors"]] == [named]
        assert "too short" not in str(problem)


async def test_an_identity_is_registered_once(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        status, problem = await strum.api().post("/charging-stations", {"station_id": "CS1"})
        assert (status, problem["code"]) == (409, "station_exists")


async def test_an_edit_changes_what_it_names_and_null_removes(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum, friendly_name="Yard", address="1 High Street")
        status, shown = await strum.api().patch("/charging-stations/CS1", {"address": None, "registration": "pending"})
        assert status == 200
        assert (shown["friendly_name"], shown["address"], shown["registration"]) == ("Yard", None, "pending")
        assert (await strum.ask(GetStationAccess(station_id="CS1"))).registration is Registration.PENDING
        await strum.hear(StationAccessChanged, 2)


async def test_an_edit_of_another_revision_is_refused(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        api = strum.api()
        first, _ = await api.patch("/charging-stations/CS1", {"address": "A"}, If_Match='"1"')
        second, problem = await api.patch("/charging-stations/CS1", {"address": "B"}, If_Match='"1"')
        assert (first, second, problem["revision"]) == (200, 412, 2)


async def test_what_must_be_cannot_be_removed(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        status, _ = await strum.api().patch("/charging-stations/CS1", {"security_profile": None})
        assert status == 422


async def test_a_removed_station_is_unknown(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        status, _ = await strum.api().delete("/charging-stations/CS1")
        again, _ = await strum.api().delete("/charging-stations/CS1")
        assert (status, again) == (204, 404)
        assert not (await strum.ask(GetStationAccess(station_id="CS1"))).known
        await strum.hear(StationRemoved)


async def _listed(strum: Running, **query: Any) -> list[str]:
    status, page = await strum.api().get("/charging-stations", **query)
    assert status == 200, page
    return [station["station_id"] for station in page["items"]]


async def test_stations_are_filtered_and_searched(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum, "A%1", friendly_name="North yard")
        await register(strum, "B_2", registration="pending")
        await register(strum, "C3")
        await strum.publish(connected("C3", 1))
        assert await _listed(strum, online="true") == ["C3"]
        assert await _listed(strum, online="false") == ["A%1", "B_2"]
        assert await _listed(strum, registration="pending") == ["B_2"]
        assert await _listed(strum, search="YARD") == ["A%1"]
        assert await _listed(strum, search="%") == ["A%1"]
        assert await _listed(strum, vendor="nobody") == []


async def test_pages_follow_each_other_without_gap_or_repeat(database: str) -> None:
    async with running(database, "charge_points") as strum:
        for number in range(5):
            await register(strum, f"CS{number}")
        found: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            _, page = await strum.api().get("/charging-stations", limit=2, **cursor)
            found += [station["station_id"] for station in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert found == [f"CS{number}" for number in range(5)]


async def test_who_may_not_read_or_write_is_refused(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        assert (await strum.nobody().get("/charging-stations"))[0] == 401
        assert (await strum.api(Role.DRIVER).get("/charging-stations/CS1"))[0] == 403
        assert (await strum.api(Role.VIEWER).post("/charging-stations/CS1/password", {}))[0] == 403
        assert (await strum.api(Role.VIEWER).get("/charging-stations/CS1"))[0] == 200


async def test_an_identity_with_a_space_or_beyond_ascii_is_found_by_its_path(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum, "RDAM 123 é")
        response = strum.api()
        status, shown = await response.get("/charging-stations/RDAM%20123%20%C3%A9")
        assert (status, shown["station_id"]) == (200, "RDAM 123 é")


async def test_an_operator_says_which_certificate_is_a_stations(database: str) -> None:
    digits = "AB:" * 31 + "cd"
    async with running(database, "charge_points") as strum:
        await register(strum, security_profile=3, certificate_common_name="SN-77")
        before = await strum.ask(GetStationAccess(station_id="CS1"))
        status, shown = await strum.api().patch("/charging-stations/CS1", {"certificate_fingerprint": digits})
        await strum.hear(StationAccessChanged, 2)
        after = await strum.ask(GetStationAccess(station_id="CS1"))
        refused, _ = await strum.api().patch("/charging-stations/CS1", {"certificate_fingerprint": "ab"})
        await strum.api().patch("/charging-stations/CS1", {"certificate_common_name": None})
        removed = await strum.ask(GetStationAccess(station_id="CS1"))

        assert (before.certificate_common_name, before.certificate_fingerprint) == ("SN-77", None)
        assert (status, shown["certificate_fingerprint"]) == (200, "ab" * 31 + "cd")
        assert (after.certificate_common_name, after.certificate_fingerprint) == ("SN-77", "ab" * 31 + "cd")
        assert (refused, removed.certificate_common_name) == (422, None)
