"""A time without a zone is in the station's (docs/bad-input.md, row 34)."""

from datetime import UTC, datetime

import pytest

from communication_service.ocpp.versions import Version
from communication_service.zones import zone_of
from shared_contracts.charge_points import StationAccess, StationAccessChanged
from shared_contracts.message import Envelope
from shared_contracts.stations import StatusReported
from shared_contracts.transactions import OpenTransaction
from tests.communication_service.edge import Edge, edge
from tests.communication_service.fakes import OPEN
from tests.communication_service.phrases import begin, meters, status
from tests.communication_service.stations import Station

HOURS = {
    "2025-01-01T12:00:00": "2025-01-01T11:00:00+00:00",
    "2025-07-01T12:00:00.5": "2025-07-01T10:00:00.500000+00:00",
    "2025-03-30T01:59:59": "2025-03-30T00:59:59+00:00",
    "2025-03-30T02:30:00": "2025-03-30T01:30:00+00:00",  # left out: as if the clock had not been put forward yet
    "2025-03-30T03:00:00": "2025-03-30T01:00:00+00:00",
    "2025-10-26T02:30:00": "2025-10-26T00:30:00+00:00",  # comes twice: the first
    "2025-10-26T03:00:00": "2025-10-26T02:00:00+00:00",
    "2025-10-25T24:00:00": "2025-10-25T22:00:00+00:00",
}


def in_zone(name: str | None) -> StationAccess:
    return OPEN.model_copy(update={"time_zone": name})


async def reported(e: Edge, station: Station, version: Version, at: str) -> StatusReported:
    count = len(e.heard(StatusReported))
    await station.send(status(version, at=at))
    assert (await station.receive())[0] == 3
    return (await e.hears(StatusReported, count + 1))[-1]


@pytest.mark.parametrize("version", Version)
async def test_a_time_without_a_zone_is_in_the_stations_also_when_clocks_change(version: Version) -> None:
    async with edge() as e:
        e.modules.access["CS1"] = in_zone("Europe/Berlin")
        async with e.station(version) as station:
            for text, at in HOURS.items():
                event = await reported(e, station, version, text)
                assert (event.reported_at.isoformat(), event.flags) == (at, (f"time_no_zone:{text}",))


@pytest.mark.parametrize("version", Version)
async def test_a_time_with_a_zone_is_what_it_says_whatever_the_stations_is(version: Version) -> None:
    async with edge() as e:
        e.modules.access["CS1"] = in_zone("Europe/Berlin")
        async with e.station(version) as station:
            for text in ("2025-01-01T12:00:00Z", "2025-01-01T12:00:00.000Z", "2025-01-01T14:00:00+02:00"):
                event = await reported(e, station, version, text)
                assert (event.reported_at, event.flags) == (datetime(2025, 1, 1, 12, tzinfo=UTC), ())


async def test_the_times_of_transactions_and_meters_are_read_so_too() -> None:
    async with edge() as e:
        e.modules.access["CS1"] = in_zone("Asia/Kolkata")
        async with e.station(Version.V16) as station:
            for text in (begin(Version.V16, at="2025-01-01T12:00:00"), meters(Version.V16, at="2025-01-01T12:00:00")):
                await station.send(text)
                assert (await station.receive())[0] == 3
        (opened,) = e.asked(OpenTransaction)
        sampled = [one.payload for one in e.modules.events if one.key == "stations.meters_sampled.v1"]

        assert opened.started_at == datetime(2025, 1, 1, 6, 30, tzinfo=UTC)
        assert [b"2025-01-01T06:30:00Z" in payload for payload in sampled] == [True]


async def test_another_zone_holds_from_the_next_connection() -> None:
    text = "2025-01-01T12:00:00"
    async with edge() as e:
        e.modules.access["CS1"] = in_zone(None)
        async with e.station(Version.V201) as station:
            e.modules.access["CS1"] = in_zone("America/New_York")
            await e.bus.publish(Envelope.of(StationAccessChanged(station_id="CS1")))
            before = await reported(e, station, Version.V201, text)
        async with e.station(Version.V201) as station:
            after = await reported(e, station, Version.V201, text)

        assert (before.reported_at.hour, after.reported_at.hour) == (12, 17)


@pytest.mark.parametrize("name", ["Mars/Olympus", "Europe", "../../etc/passwd", "/etc/passwd", "", "a\0b", "x" * 5000])
async def test_a_zone_that_the_pod_does_not_know_keeps_no_station_out(name: str) -> None:
    async with edge() as e:
        e.modules.access["CS1"] = in_zone(name)
        async with e.station(Version.V16) as station:
            event = await reported(e, station, Version.V16, "2025-01-01T12:00:00")

        assert event.reported_at == datetime(2025, 1, 1, 12, tzinfo=UTC)
        assert zone_of("CS1", name) is UTC
