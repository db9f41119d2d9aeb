"""`kill -9` of either service in the middle of 200 charges: nothing acknowledged is lost, nothing counts twice."""

import asyncio

import pytest

from simulator import Ledger
from simulator.ledger import Class
from tests.e2e.oracle import Findings
from tests.e2e.stack import Service, Stack
from tests.faults.fleets import charging, transaction_messages

CHARGES = 200
AT_WORK = 5
"""Calls that wait for an answer when the kill comes."""


async def charge_and_kill(strum: Stack, victims: list[Service]) -> tuple[Ledger, Findings]:
    """200 stations charge once each; the victims die one after the other in the middle of it."""
    async with charging(strum.ocpp_url, stations=CHARGES) as stations:
        await stations.begun(CHARGES // 4)
        for victim in victims:
            await victim.kill_at_work(lambda: stations.waiting >= AT_WORK)
            await asyncio.sleep(1.0)
            await victim.start()
            await asyncio.sleep(2.0)
        await stations.begun(CHARGES)
        await stations.sampled(CHARGES + 1)
        return stations.ledger, await stations.settled(strum)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("victim", ["management", "communication"])
async def test_a_killed_service_loses_and_doubles_nothing(prepared: Stack, victim: str) -> None:
    prepared.environment["STRUM_AUTHORIZATION__ACCEPT_UNKNOWN_TOKENS"] = "true"
    prepared.environment["STRUM_LOG_LEVEL"] = "warning"
    management = await prepared.management().start()
    communication = await prepared.communication().start()
    await prepared.sign_in()
    ledger, findings = await charge_and_kill(prepared, [management if victim == "management" else communication])
    assert findings.clean, findings
    assert findings.checked["stops"] >= CHARGES
    assert findings.checked["samples"] > CHARGES
    assert ledger.counts["discarded"] == 0
    assert transaction_messages(ledger, Class.REFUSED) == 0
