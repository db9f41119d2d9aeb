"""Many stations: they charge by themselves, cost little, and end in an orderly way."""

import asyncio
from typing import Any

from simulator.fleet import Fleet
from simulator.ledger import Ledger
from tests.simulator.conftest import VERSIONS
from tests.simulator.csms import Csms, eventually


def a_fleet(csms: Csms, **options: Any) -> Fleet:
    defaults: dict[str, Any] = {"url": csms.url, "stations": 6, "seed": 3, "speed": 7200, "rate": 2.0}
    return Fleet(**defaults | {"ledger": Ledger()} | options)


async def test_a_fleet_charges_and_ends_with_nothing_open(csms: Csms) -> None:
    async with a_fleet(csms, version=VERSIONS, connectors=2) as fleet:
        await fleet.run(1.0)
    summary = fleet.summary()

    assert summary["connected"] == 6
    assert summary["charges"]["started"] > 6
    assert summary["charges"]["finished"] == summary["charges"]["started"]
    assert summary["charges"]["running"] == 0
    assert summary["messages"]["refused"] == 0
    assert summary["messages"]["queued"] == 0
    assert 0 < summary["latency_ms"]["p50"] <= summary["latency_ms"]["p99"] <= summary["latency_ms"]["max"]
    assert all(record.stop_acknowledged for record in fleet.ledger.transactions)
    assert set(csms.actions()) > {"StartTransaction", "TransactionEvent"}


async def test_stations_that_are_not_driven_wait_to_be_told(csms: Csms) -> None:
    async with a_fleet(csms, stations=3, driven=2) as fleet:
        await fleet.run(1.0)

    assert {record.station_id for record in fleet.ledger.transactions} == {"SIM-0001", "SIM-0002"}


async def test_stations_are_numbered_and_versions_dealt_out(csms: Csms) -> None:
    fleet = a_fleet(csms, stations=5, version=("1.6", "2.0.1"))

    assert [station.station_id for station in fleet.stations] == [f"SIM-000{n}" for n in range(1, 6)]
    assert [station.dialect.version for station in fleet.stations] == ["1.6", "2.0.1", "1.6", "2.0.1", "1.6"]


async def test_an_idle_station_costs_two_tasks(csms: Csms) -> None:
    async with a_fleet(csms, stations=20, rate=0) as fleet:
        for station in fleet.stations:
            await station.wait_ready()
        idle = tasks_of_stations()

    assert idle == 40
    assert tasks_of_stations() == 0


def tasks_of_stations() -> int:
    return sum(1 for task in asyncio.all_tasks() if task.get_name().startswith("SIM-"))


async def test_a_cancelled_run_ends_cleanly(csms: Csms) -> None:
    async with a_fleet(csms) as fleet:
        running = asyncio.create_task(fleet.run())
        await csms.until(lambda: "StartTransaction" in csms.actions())
        running.cancel()
        await asyncio.wait({running})

    assert running.cancelled()
    assert fleet.summary()["charges"]["running"] == 0
    assert csms.actions().count("StartTransaction") == csms.actions().count("StopTransaction")


async def test_a_seed_makes_the_same_vehicles_come(csms: Csms) -> None:
    async def first_charges(seed: int | None) -> list[tuple[str, int]]:
        async with a_fleet(csms, stations=1, seed=seed, rate=20, charge_minutes=(1.0, 2.0)) as fleet:
            await fleet.run(0.4)
        records = fleet.ledger.transactions[:2]
        return [(r.station_transaction_id, r.meter_start_wh) for r in records][:1]

    assert await first_charges(5) == await first_charges(5)
    assert await first_charges(None) != await first_charges(None)


async def test_each_station_has_its_own_password() -> None:
    async with Csms(password="secret of SIM-0001") as csms:
        async with a_fleet(csms, stations=2, rate=0, password=lambda id_: f"secret of {id_}") as fleet:
            await fleet.stations[0].wait_ready()
            await eventually(lambda: fleet.stations[1].dial_failures != [])

        assert fleet.summary()["connected"] == 1
        assert fleet.summary()["dial_failures"] == {"refused: HTTP 401": 1}
