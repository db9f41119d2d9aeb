"""Unknown stations, and boots."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from modules.charge_points.repository import stations
from modules.kernel.work import Work
from shared_contracts.charge_points import (
    BootStation,
    GetStationAccess,
    ReceiveData,
    Registration,
    StationBooted,
    StationRegistered,
)
from tests.harness import running
from tests.modules.charge_points.edge import register


def _boot(**fields: Any) -> BootStation:
    said = {"station_id": "CS1", "ocpp_version": "1.6", "vendor": "Volt", "model": "One"}
    return BootStation(**{**said, "booted_at": datetime.now(UTC), **fields})


async def test_unknown_stations_are_refused_by_default(database: str) -> None:
    async with running(database, "charge_points") as strum:
        assert not (await strum.ask(GetStationAccess(station_id="CS1"))).known
        assert (await strum.ask(_boot())).registration is Registration.REJECTED
        assert (await strum.api().get("/charging-stations/CS1"))[0] == 404


@pytest.mark.parametrize(("setting", "registration"), [("pending", "pending"), ("accept", "accepted")])
async def test_an_unknown_station_registers_itself_where_the_setting_lets_it(
    database: str, setting: str, registration: str
) -> None:
    async with running(database, "charge_points", charge_points={"unknown_stations": setting}) as strum:
        access = await strum.ask(GetStationAccess(station_id="CS1"))
        again = await strum.ask(GetStationAccess(station_id="CS1"))
        _, shown = await strum.api().get("/charging-stations/CS1")
        assert access == again
        assert (access.known, access.registration, access.security_profile) == (True, Registration(registration), 0)
        assert shown["self_registered"] is True
        assert len(await strum.hear(StationRegistered)) == 1


async def test_only_so_many_stations_wait_for_an_operator(database: str) -> None:
    settings = {"unknown_stations": "pending", "max_pending_stations": 2}
    async with running(database, "charge_points", charge_points=settings) as strum:
        known = [(await strum.ask(GetStationAccess(station_id=f"CS{number}"))).known for number in range(3)]
        await strum.api().patch("/charging-stations/CS0", {"registration": "accepted"})
        assert known == [True, True, False]
        assert (await strum.ask(GetStationAccess(station_id="CS2"))).known


async def test_what_changes_between_two_readings_is_not_told_half(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The profile of before with the revision of after would let a station in as it no longer may."""
    async with running(database, "charge_points") as strum:
        await register(strum, "CS1")
        find_access = stations.find_access

        async def and_then_it_is_raised(work: Work, station_id: str) -> stations.StoredAccess | None:
            found = await find_access(work, station_id)
            await strum.api().patch("/charging-stations/CS1", {"security_profile": 3})
            return found

        monkeypatch.setattr(stations, "find_access", and_then_it_is_raised)
        access = await strum.ask(GetStationAccess(station_id="CS1"))
        assert (access.security_profile, access.revision) == (3, 1)


async def test_an_identity_that_cannot_be_registered_is_refused(database: str) -> None:
    async with running(database, "charge_points", charge_points={"unknown_stations": "accept"}) as strum:
        assert not (await strum.ask(GetStationAccess(station_id="a:b"))).known


async def test_what_a_station_says_of_itself_is_stored_as_far_as_it_is_sensible(database: str) -> None:
    async with running(database, "charge_points", charge_points={"heartbeat_interval_s": 240}) as strum:
        await register(strum)
        answers = [
            await strum.ask(_boot(serial_number="S" * 900, firmware_version="1.2", reason="PowerUp")) for _ in range(2)
        ]
        _, shown = await strum.api().get("/charging-stations/CS1")
        assert [(answer.registration, answer.interval_s) for answer in answers] == [(Registration.ACCEPTED, 240)] * 2
        assert (shown["vendor"], shown["firmware_version"], shown["boot_reason"]) == ("Volt", "1.2", "PowerUp")
        assert shown["serial_number"] == "S" * 255
        assert shown["ocpp_version"] == "1.6"
        assert shown["revision"] == 1
        assert (await strum.hear(StationBooted))[0].vendor == "Volt"


async def test_others_are_told_of_boots_that_say_nothing_new_once_a_minute(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum, registration="pending")
        for _ in range(3):
            await strum.ask(_boot(reason="PowerUp"))
        await strum.ask(_boot(reason="Watchdog"))
        await strum.api().patch("/charging-stations/CS1", {"registration": "accepted"})
        for _ in range(2):
            assert (await strum.ask(_boot(reason="Watchdog"))).registration is Registration.ACCEPTED
        monkeypatch.setattr(stations, "BOOT_NOT_TOLD_AGAIN", timedelta(0))
        last = datetime.now(UTC)
        await strum.ask(_boot(reason="Watchdog", booted_at=last))
        told = await strum.hear(StationBooted, 4)
        assert [event.registration.value for event in told] == ["pending", "pending", "accepted", "accepted"]
        assert told[-1].booted_at == last


async def test_a_pending_station_is_told_when_to_boot_again(database: str) -> None:
    async with running(database, "charge_points", charge_points={"retry_interval_s": 17}) as strum:
        await register(strum, registration="pending")
        answer = await strum.ask(_boot())
        assert (answer.registration, answer.interval_s) == (Registration.PENDING, 17)


async def test_vendor_specific_data_is_of_an_unknown_vendor(database: str) -> None:
    async with running(database, "charge_points") as strum:
        reply = await strum.ask(ReceiveData(station_id="CS1", vendor_id="org.example", data="x" * 100_000))
        assert (reply.status, reply.data) == ("UnknownVendorId", None)
