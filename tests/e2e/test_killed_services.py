"""`kill -9` of either service in the middle of 200 charges: nothing acknowledged is lost, nothing counts twice."""

import asyncio

import pytest

from simulator import Fleet, Ledger
from tests.e2e.oracle import Findings, compare
from tests.e2e.stack import Service, Stack

CHARGES = 200
FAST = {
    "message_attempts": 10,
    "message_retry_s": 1,
    "message_timeout_s": 4,
    "backoff_minimum_s": 1,
    "backoff_random_s": 2,
    "boot_retry_s": 1,
}
"""Minutes of the field in seconds: so quick a station needs more tries than three to outlast a restart."""


async def started(ledger: Ledger, charges: int) -> None:
    """Wait until so many charges have begun."""
    try:
        async with asyncio.timeout(90):
            while ledger.counts["charges_started"] < charges:
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"no {charges} charges within 90 s: {dict(ledger.counts)}") from None


async def charge_and_kill(strum: Stack, victims: list[Service]) -> tuple[Ledger, Findings]:
    """200 stations charge once each; the victims die one after the other in the middle of it."""
    ledger = Ledger()
    fleet = Fleet(
        url=strum.ocpp_url,
        stations=CHARGES,
        version=("1.6", "2.0.1", "2.1"),
        rate=60,
        charge_minutes=(1.0, 2.0),
        first_within_s=60,
        meter_interval=20,
        speed=8,
        seed=7,
        settings=FAST,
        ledger=ledger,
    )
    async with fleet:
        driving = asyncio.create_task(fleet.run())
        await started(ledger, CHARGES // 4)
        for victim in victims:
            await victim.kill()
            await asyncio.sleep(1.0)
            await victim.start()
            await asyncio.sleep(2.0)
        await started(ledger, CHARGES)
        driving.cancel()
        await asyncio.gather(driving, return_exceptions=True)
        await fleet.stop_charges()
        async with asyncio.timeout(60):
            for station in fleet.stations:
                await station.drained()
        await strum.eventually("/transactions", lambda page: not page["items"], open=True, within_s=30.0)
    return ledger, await compare(ledger, strum)


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
    assert ledger.counts["unanswered"] > 0, "the kill hit nothing: the test proves nothing"
    assert not any("Transaction" in action and outcome == "refused" for action, outcome in ledger.by_action)
