"""F5: the broker dies and comes back. Whoever is not answered keeps the message; nobody is refused."""

import asyncio
import time

import pytest

from simulator.ledger import Class
from tests.faults.fleets import charging, transaction_messages, until
from tests.faults.ground import Ground
from tests.figures import Figure

STATIONS = 60
AT_WORK = 5
"""Calls that wait for an answer while the broker is dead."""


@pytest.mark.timeout(240)
async def test_a_killed_broker_loses_and_doubles_nothing(faulty: Ground, figure: Figure) -> None:
    await asyncio.sleep(5)  # RabbitMQ 3.10 loses a quorum queue that was declared in the last five seconds
    async with charging(faulty.strum.ocpp_url, stations=STATIONS) as stations:
        await stations.begun(STATIONS // 3)
        await faulty.broker.kill()
        await until(lambda: stations.waiting >= AT_WORK, "some who wait for an answer", within_s=30)
        await asyncio.sleep(1.0)
        answered = transaction_messages(stations.ledger, Class.ANSWERED)
        began = time.monotonic()
        await faulty.broker.start()
        await until(lambda: transaction_messages(stations.ledger, Class.ANSWERED) > answered, "an answer", within_s=60)
        figure("F5", "first answer after the start", time.monotonic() - began, "s", at_most=30)
        await stations.begun(STATIONS)
        findings = await stations.settled(faulty.strum)
    assert findings.clean, findings
    assert findings.checked["stops"] >= STATIONS
    assert stations.ledger.counts["discarded"] == 0
    assert transaction_messages(stations.ledger, Class.REFUSED) == 0
