"""Four failures that a field trial of charging stations is made of, on the real services."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from simulator import Station
from simulator.station import Version
from tests.e2e.stack import Stack

TOKEN = "FIELD01"
VERSIONS: tuple[Version, ...] = ("1.6", "2.0.1", "2.1")
FAST = {"message_retry_s": 1, "message_timeout_s": 5, "backoff_minimum_s": 1, "backoff_random_s": 0, "boot_retry_s": 1}


@dataclass(frozen=True)
class Case:
    """One station and what the API shows of it."""

    strum: Stack
    version: Version

    @property
    def station_id(self) -> str:
        """The station of this version."""
        return f"FIELD-{self.version}"

    def station(self) -> Station:
        """A station whose hours are seconds: its clock runs 600 times as fast, its network at the real pace."""
        return Station(
            url=self.strum.ocpp_url,
            station_id=self.station_id,
            version=self.version,
            speed=600,
            meter_interval=60,
            settings=FAST,
            seed=1,
        )

    async def transaction(self, state: str, **conditions: Any) -> dict[str, Any]:
        """The station's only transaction, once it is in this state."""
        page = await self.strum.eventually(
            "/transactions",
            lambda page: (
                len(page["items"]) == 1
                and page["items"][0]["state"] == state
                and all(page["items"][0][name] == value for name, value in conditions.items())
            ),
            station_id=self.station_id,
        )
        found: dict[str, Any] = page["items"][0]
        return found

    async def connection(self, connected: bool) -> None:
        """Wait until the API shows the station so."""
        await self.strum.eventually(
            f"/charging-stations/{self.station_id}", lambda body: body["connected"] is connected
        )


async def in_all_versions(strum: Stack, happens: Callable[[Case], Awaitable[None]]) -> None:
    """The same happens to a station of each version, all at once."""
    await strum.add_id_token(TOKEN)
    await asyncio.gather(*(happens(Case(strum, version)) for version in VERSIONS))


def close_to(text: str, expected: datetime | None) -> bool:
    assert expected is not None
    return abs(datetime.fromisoformat(text) - expected) < timedelta(milliseconds=2)


async def test_an_emergency_stop_fails_the_transaction_and_keeps_its_energy(strum: Stack) -> None:
    await in_all_versions(strum, _emergency_stop)


async def _emergency_stop(case: Case) -> None:
    async with case.station() as charger:
        await charger.plug_in_and_charge(id_token=TOKEN)
        await asyncio.sleep(1.0)
        await charger.emergency_stop()
        await charger.drained()
        (record,) = charger.transactions
        assert record.energy_wh > 0
        shown = await case.transaction("failed", energy_wh=record.energy_wh)
        assert shown["reason"] == "EmergencyStop"
        assert close_to(shown["ended_at"], record.stopped_at)


async def test_a_network_lost_and_back_during_a_charge_costs_no_energy(strum: Stack) -> None:
    await in_all_versions(strum, _network_lost_and_back)


async def _network_lost_and_back(case: Case) -> None:
    async with case.station() as charger:
        await charger.plug_in_and_charge(id_token=TOKEN)
        await case.transaction("charging")
        charger.lose_network()
        await case.connection(False)
        assert (await case.transaction("charging"))["ended_at"] is None
        await asyncio.sleep(1.0)
        charger.restore_network()
        await case.connection(True)
        await charger.stop_charge(reason="Local")
        await charger.drained()
        (record,) = charger.transactions
        shown = await case.transaction("finished", energy_wh=record.energy_wh)
        assert record.energy_wh > 0
        sampled = {sample.wh for sample in record.samples}
        await case.strum.eventually(
            f"/transactions/{shown['id']}/meter-values",
            lambda page: sampled <= {value["energy_wh"] for value in page["items"]},
            limit=500,
        )


async def test_a_charge_ended_offline_ends_at_the_time_of_the_station(strum: Stack) -> None:
    await in_all_versions(strum, _charge_ended_offline)


async def _charge_ended_offline(case: Case) -> None:
    async with case.station() as charger:
        await charger.plug_in_and_charge(id_token=TOKEN)
        await case.transaction("charging")
        charger.lose_network()
        await case.connection(False)
        await asyncio.sleep(0.5)
        await charger.stop_charge(reason="EVDisconnected")
        await asyncio.sleep(1.0)
        charger.restore_network()
        await case.connection(True)
        await charger.drained()
        (record,) = charger.transactions
        shown = await case.transaction("finished", energy_wh=record.energy_wh)
        assert close_to(shown["ended_at"], record.stopped_at)
        assert close_to(shown["started_at"], record.started_at)


async def test_a_power_cut_fails_the_transaction_with_energy_and_time(strum: Stack) -> None:
    await in_all_versions(strum, _power_cut)


async def _power_cut(case: Case) -> None:
    async with case.station() as charger:
        await charger.plug_in_and_charge(id_token=TOKEN)
        await case.transaction("charging")
        await asyncio.sleep(0.5)
        charger.lose_power()
        await case.connection(False)
        assert (await case.transaction("charging"))["ended_at"] is None
        charger.restore_power()
        await case.connection(True)
        await charger.drained()
        (record,) = charger.transactions
        shown = await case.transaction("failed", energy_wh=record.energy_wh)
        assert shown["reason"] == "PowerLoss"
        assert close_to(shown["ended_at"], record.stopped_at)
