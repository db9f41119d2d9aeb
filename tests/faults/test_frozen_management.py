"""F4: management hangs. Stations notice it by the questions that only a module can answer; the rest is kept for it."""

import asyncio
import signal
import time

import pytest

from simulator import Station
from simulator.ledger import Class
from simulator.outcome import Answered
from tests.faults.databases import depths, drained
from tests.faults.fleets import FAST, charging, transaction_messages, until
from tests.faults.ground import Ground
from tests.faults.sizes import SOON_S, TEN_MINUTES
from tests.faults.verdicts import examine_further, taken_for_gone
from tests.figures import Figure

STATIONS = 40
GIVING_UP = FAST | {"message_attempts": 3, "message_timeout_s": 5, "message_retry_s": 1}
"""Throw away what was not answered three times: after 18 seconds. In the field it is 90 to 270."""


async def beats(station: Station, seconds: float) -> tuple[int, int, float]:
    """One Heartbeat a second: how many were sent, how many answered, and the slowest answer in seconds."""
    sent, answered, slowest = 0, 0, 0.0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        sent += 1
        answered += isinstance(await station.call("Heartbeat", {}), Answered)
        slowest = max(slowest, time.monotonic() - began)
        await asyncio.sleep(1.0)
    return sent, answered, slowest


async def kept_by_the_broker(ground: Ground) -> int:
    """Bodies of events that wait for management, delivered to it and not acknowledged, or not yet."""
    return sum(count for name, count in (await depths(ground.broker)).items() if ".s" in name)


@pytest.mark.long
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("outage_s", [pytest.param(20, marks=pytest.mark.alone), 120, TEN_MINUTES])
async def test_a_frozen_management_delays_answers_and_loses_nothing(
    prepared: Ground, figure: Figure, seed: int, outage_s: int
) -> None:
    """Pods that let nobody go show what becomes of those who wait."""
    strum = prepared.strum
    strum.environment["STRUM_UNANSWERED_AFTER_S"] = "3600"
    management = await strum.management().start()
    await strum.communication().start()
    await strum.sign_in()
    assert management.process is not None
    patient = FAST | {"message_attempts": 10 + outage_s}
    async with (
        Station(url=strum.ocpp_url, station_id="BEATS") as beating,
        charging(strum.ocpp_url, stations=STATIONS, seed=seed, settings=patient) as stations,
    ):
        await stations.begun(STATIONS // 2)
        answered = transaction_messages(stations.ledger, Class.ANSWERED)
        management.process.send_signal(signal.SIGSTOP)
        try:
            sent, heard, slowest = await beats(beating, outage_s)
            kept = await kept_by_the_broker(prepared)
        finally:
            management.process.send_signal(signal.SIGCONT)
        thawed_at = time.monotonic()
        answered = transaction_messages(stations.ledger, Class.ANSWERED) - answered
        await drained(prepared, within_s=2 * outage_s)
        within_s = max(outage_s / 2, SOON_S)
        figure("F4", f"bodies kept in {outage_s} s", kept)
        figure("F4", f"those of {outage_s} s taken after", time.monotonic() - thawed_at, "s", at_most=within_s)
        await stations.begun(STATIONS)
        findings = await examine_further(strum, await stations.settled(strum, within_s=90))
        figure("F4", "stations taken for gone", len(await taken_for_gone(strum)), at_most=0)
    assert heard == sent
    figure("F4", "slowest Heartbeat meanwhile", slowest, "s", at_most=5)
    assert kept > 0
    assert answered > 0, "what needs no module's verdict was not answered"
    assert findings.clean, findings
    assert stations.ledger.counts["discarded"] == 0
    assert transaction_messages(stations.ledger, Class.REFUSED) == 0


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_stations_are_let_go_before_they_throw_away_what_a_frozen_management_does_not_answer(
    prepared: Ground, figure: Figure, seed: int
) -> None:
    strum = prepared.strum
    strum.environment |= {"STRUM_UNANSWERED_AFTER_S": "8", "STRUM_REQUEST_TIMEOUT_S": "5", "STRUM_OUTAGE_SPREAD_S": "1"}
    management = await strum.management().start()
    await strum.communication().start()
    await strum.sign_in()
    assert management.process is not None
    async with charging(strum.ocpp_url, stations=STATIONS, seed=seed, settings=GIVING_UP) as stations:
        await stations.begun(STATIONS // 2)
        management.process.send_signal(signal.SIGSTOP)
        try:
            began = time.monotonic()
            fleet = stations.fleet.stations
            await until(lambda: not any(station.ready for station in fleet), "all let go", within_s=30)
            figure("F4", "all let go, of 8 s without an answer, after", time.monotonic() - began, "s", at_most=15)
            await asyncio.sleep(40)
            assert not any(station.ready for station in fleet)
        finally:
            management.process.send_signal(signal.SIGCONT)
        began = time.monotonic()
        await until(lambda: all(station.ready for station in fleet), "all back", within_s=60)
        figure("F4", "all back after", time.monotonic() - began, "s", at_most=60)
        await stations.begun(STATIONS)
        findings = await examine_further(strum, await stations.settled(strum, within_s=90))
    assert findings.clean, findings
    figure(
        "F4", "messages thrown away by stations that try three times", stations.ledger.counts["discarded"], at_most=0
    )
    assert transaction_messages(stations.ledger, Class.REFUSED) == 0
