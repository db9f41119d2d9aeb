"""F2: management dies at any moment, again and again. It is back in seconds, and a repeated start has the same id."""

import asyncio
import time
from random import Random

import pytest

from simulator import Station
from simulator.frames import Payload
from simulator.ledger import Class
from simulator.outcome import Answered
from tests.faults.fleets import FAST, charging, transaction_messages
from tests.faults.ground import Ground
from tests.faults.sizes import size
from tests.faults.verdicts import examine_further
from tests.figures import Figure

STATIONS = 20
KILLS = size(10, 50)


async def answered(station: Station, action: str, payload: Payload) -> Payload:
    """Say it until it is answered, as a station does with a message of a transaction."""
    while True:
        match await station.call(action, payload):
            case Answered(answer):
                return answer
        await asyncio.sleep(0.2)


def start(number: int) -> Payload:
    return {"connectorId": 1, "idTag": f"RETRY{number}", "meterStart": number, "timestamp": "2026-01-01T00:00:00Z"}


def stop(transaction_id: int, number: int) -> Payload:
    return {"transactionId": transaction_id, "meterStop": number + 1, "timestamp": "2026-01-01T01:00:00Z"}


@pytest.mark.alone
@pytest.mark.timeout(1200)
async def test_a_management_killed_at_random_is_back_and_knows_what_it_was_told(
    prepared: Ground, figure: Figure, seed: int
) -> None:
    strum, moments = prepared.strum, Random(seed)
    management = await strum.management().start()
    await strum.communication().start()
    await strum.sign_in()
    slowest = 0.0
    async with (
        charging(strum.ocpp_url, stations=STATIONS, seed=seed) as stations,
        Station(url=strum.ocpp_url, station_id="RETRY", settings=FAST) as retrying,
    ):
        await stations.begun(STATIONS // 2)
        for number in range(KILLS):
            first = asyncio.create_task(answered(retrying, "StartTransaction", start(number)))
            await asyncio.sleep(moments.uniform(0, 1.0))
            await management.kill()
            began = time.monotonic()
            await management.start()
            slowest = max(slowest, time.monotonic() - began)
            told = await first
            assert await answered(retrying, "StartTransaction", start(number)) == told
            await answered(retrying, "StopTransaction", stop(told["transactionId"], number))
        findings = await stations.settled(strum, within_s=120)
    own = await strum.pages("/transactions", station_id="RETRY")
    assert len(own) == KILLS
    findings.unexpected = [each for each in findings.unexpected if "'RETRY'" not in each]
    await examine_further(strum, findings)
    assert findings.clean, findings
    assert stations.ledger.counts["discarded"] == 0
    assert transaction_messages(stations.ledger, Class.REFUSED) == 0
    figure("F2", f"slowest of {KILLS} starts after a kill", slowest, "s", at_most=10)
