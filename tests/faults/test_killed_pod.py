"""F1: one of two pods dies. Its stations are back on the other within a minute; none that is there counts as gone."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulator import Station
from simulator.ledger import Class
from tests.e2e.stack import Service, Stack
from tests.faults.balancer import Balancer
from tests.faults.fleets import FAST, Charging, charging, transaction_messages, until
from tests.faults.ground import Ground
from tests.faults.sizes import size
from tests.faults.verdicts import taken_for_gone
from tests.figures import Figure
from tests.services.ports import free_port

STATIONS = size(300, 1_000)
COMMANDED = 12
BACK_OFF = FAST | {"backoff_minimum_s": 3, "backoff_random_s": 10}


async def two_pods(strum: Stack) -> tuple[list[Service], Balancer]:
    ports = [free_port(), free_port()]
    pods = [strum.communication(port=port, name=f"pod-{port}") for port in ports]
    for pod in pods:
        await pod.start()
    return pods, Balancer(*ports)


async def command(strum: Stack, station_id: str) -> tuple[str, float]:
    """Tell a station something that it answers too late: the outcome, and the seconds until it was known."""
    began = time.monotonic()
    said = {"type": "trigger_message", "message": "Heartbeat"}
    status, body = await strum.api("POST", f"/charging-stations/{station_id}/commands", json=said, wait_s=60)
    assert status == 201, body
    return body["state"], time.monotonic() - began


async def seconds_away(stations: list[Station]) -> dict[str, float]:
    """For each station that is away in a moment, after how many seconds from now it is back."""
    since = time.monotonic()
    await asyncio.sleep(1.0)
    away = {station.station_id: station for station in stations if not station.ready}
    back: dict[str, float] = {}

    def all_back() -> bool:
        now = time.monotonic()
        back.update({name: now - since for name, station in away.items() if station.ready and name not in back})
        return len(back) == len(away)

    await until(all_back, "all stations back", within_s=90)
    return back


def _waits(page: dict[str, Any]) -> bool:
    """Whether a command of the listed is with the station: one that comes to a dead pod ends at once, as `offline`."""
    return bool(page["items"])


async def kill_one(strum: Stack, pods: list[Service], stations: Charging, figure: Figure) -> dict[str, datetime]:
    """Returns when each station of the pod was back."""
    chosen = stations.fleet.stations[:COMMANDED]
    asked = [asyncio.create_task(command(strum, station.station_id)) for station in chosen]
    for station in chosen:
        await strum.eventually(f"/charging-stations/{station.station_id}/commands", _waits, state="sent")
    killed_at = datetime.now(UTC)
    await pods[0].kill()
    back = await seconds_away(stations.fleet.stations)
    assert len(back) > STATIONS / 3
    assert any(station.station_id in back for station in chosen), "no command was under way at the pod that died"
    times = sorted(back.values())
    figure("F1", f"of {len(back)} stations of {STATIONS} 99 % back", times[int(len(times) * 0.99) - 1], "s", at_most=30)
    figure("F1", "the last back", times[-1], "s", at_most=60)
    outcomes: list[Any] = await asyncio.gather(*asked)
    assert {state for state, _ in outcomes} == {"timed_out"}, outcomes
    figure("F1", "outcome of a command under way known", max(seconds for _, seconds in outcomes), "s", at_most=35)
    return {name: killed_at + timedelta(seconds=seconds) for name, seconds in back.items()}


async def nobody_there_is_said_to_be_gone(strum: Stack, back: dict[str, datetime], figure: Figure) -> None:
    """Who is away for longer than the pod may be silent is gone, and rightly said to be: half a minute, about."""
    gone = await taken_for_gone(strum)
    wrongly = {name for name, said_at in gone.items() if name not in back or said_at >= back[name]}
    figure("F1", "stations said to be gone that were there", len(wrongly), at_most=0)
    figure("F1", "stations said to be gone before they were back", len(gone), at_most=len(back) // 100 + 1)
    await strum.eventually("/charging-stations", lambda page: not page["items"], online=False)


@pytest.mark.alone
@pytest.mark.timeout(500)
async def test_the_stations_of_a_killed_pod_come_back_on_the_other(prepared: Ground, figure: Figure, seed: int) -> None:
    strum = prepared.strum
    await strum.management().start()
    await strum.sign_in()
    pods, balancer = await two_pods(strum)
    options: dict[str, Any] = {"settings": BACK_OFF, "quirks": ("slow-answers",), "meter_interval": 60}
    async with balancer:
        url = f"ws://127.0.0.1:{balancer.port}/ocpp"
        async with charging(url, stations=STATIONS, seed=seed, rate=10, first_within_s=240, **options) as stations:
            await until(lambda: all(each.ready for each in stations.fleet.stations), "all accepted", within_s=60)
            await stations.begun(STATIONS // 4)
            back = await kill_one(strum, pods, stations, figure)
            findings = await stations.settled(strum, within_s=120)
            assert findings.clean, findings
            await nobody_there_is_said_to_be_gone(strum, back, figure)
    assert transaction_messages(stations.ledger, Class.REFUSED) == 0
    assert stations.ledger.counts["discarded"] == 0
