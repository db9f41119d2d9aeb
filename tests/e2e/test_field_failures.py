"""Four failures that a field trial of charging stations is made of, on the real services."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from simulator import Station
from tests.e2e.stack import Stack

TOKEN = "FIELD01"
VERSIONS = pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
FAST = {"message_retry_s": 1, "message_timeout_s": 5, "backoff_minimum_s": 1, "backoff_random_s": 0, "boot_retry_s": 1}


def station(strum: Stack, version: Any) -> Station:
    """A station whose hours are seconds: its clock runs 600 times as fast, its network at the real pace."""
    return Station(
        url=strum.ocpp_url, station_id="FIELD-1", version=version, speed=600, meter_interval=60, settings=FAST, seed=1
    )


async def transaction(strum: Stack, state: str, **conditions: Any) -> dict[str, Any]:
    """The only transaction, once it is in this state."""
    page = await strum.eventually(
        "/transactions",
        lambda page: (
            len(page["items"]) == 1
            and page["items"][0]["state"] == state
            and all(page["items"][0][name] == value for name, value in conditions.items())
        ),
    )
    found: dict[str, Any] = page["items"][0]
    return found


async def connection(strum: Stack, connected: bool) -> None:
    """Wait until the API shows the station so."""
    await strum.eventually("/charging-stations/FIELD-1", lambda body: body["connected"] is connected)


def close_to(text: str, expected: datetime | None) -> bool:
    assert expected is not None
    return abs(datetime.fromisoformat(text) - expected) < timedelta(milliseconds=2)


@VERSIONS
async def test_an_emergency_stop_fails_the_transaction_and_keeps_its_energy(strum: Stack, version: str) -> None:
    await strum.add_id_token(TOKEN)
    async with station(strum, version) as charger:
        await charger.plug_in_and_charge(id_token=TOKEN)
        await asyncio.sleep(1.0)
        await charger.emergency_stop()
        await charger.drained()
        (record,) = charger.transactions
        assert record.energy_wh > 0
        shown = await transaction(strum, "failed", energy_wh=record.energy_wh)
        assert shown["reason"] == "EmergencyStop"
        assert close_to(shown["ended_at"], record.stopped_at)


@VERSIONS
async def test_a_network_lost_and_back_during_a_charge_costs_no_energy(strum: Stack, version: str) -> None:
    await strum.add_id_token(TOKEN)
    async with station(strum, version) as charger:
        await charger.plug_in_and_charge(id_token=TOKEN)
        await transaction(strum, "charging")
        charger.lose_network()
        await connection(strum, False)
        assert (await transaction(strum, "charging"))["ended_at"] is None
        await asyncio.sleep(1.0)
        charger.restore_network()
        await connection(strum, True)
        await charger.stop_charge(reason="Local")
        await charger.drained()
        (record,) = charger.transactions
        shown = await transaction(strum, "finished", energy_wh=record.energy_wh)
        assert record.energy_wh > 0
        sampled = {sample.wh for sample in record.samples}
        await strum.eventually(
            f"/transactions/{shown['id']}/meter-values",
            lambda page: sampled <= {value["energy_wh"] for value in page["items"]},
            limit=500,
        )


@VERSIONS
async def test_a_charge_ended_offline_ends_at_the_time_of_the_station(strum: Stack, version: str) -> None:
    await strum.add_id_token(TOKEN)
    async with station(strum, version) as charger:
        await charger.plug_in_and_charge(id_token=TOKEN)
        await transaction(strum, "charging")
        charger.lose_network()
        await connection(strum, False)
        await asyncio.sleep(0.5)
        await charger.stop_charge(reason="EVDisconnected")
        await asyncio.sleep(1.0)
        charger.restore_network()
        await connection(strum, True)
        await charger.drained()
        (record,) = charger.transactions
        shown = await transaction(strum, "finished", energy_wh=record.energy_wh)
        assert close_to(shown["ended_at"], record.stopped_at)
        assert close_to(shown["started_at"], record.started_at)


@VERSIONS
async def test_a_power_cut_fails_the_transaction_with_energy_and_time(strum: Stack, version: str) -> None:
    await strum.add_id_token(TOKEN)
    async with station(strum, version) as charger:
        await charger.plug_in_and_charge(id_token=TOKEN)
        await transaction(strum, "charging")
        await asyncio.sleep(0.5)
        charger.lose_power()
        await connection(strum, False)
        assert (await transaction(strum, "charging"))["ended_at"] is None
        charger.restore_power()
        await connection(strum, True)
        await charger.drained()
        (record,) = charger.transactions
        shown = await transaction(strum, "failed", energy_wh=record.energy_wh)
        assert shown["reason"] == "PowerLoss"
        assert close_to(shown["ended_at"], record.stopped_at)
