"""F42: faults at random for STRUM_TEST_SOAK_S seconds under stations that charge; then silence, and the oracle."""

import asyncio
import os

import pytest

from simulator.ledger import Class
from tests.faults.fleets import FAST, charging, transaction_messages
from tests.faults.ground import Ground
from tests.faults.nemesis import Nemesis
from tests.faults.verdicts import examine_further
from tests.figures import Figure

STATIONS = 30
SOAK_S = float(os.environ.get("STRUM_TEST_SOAK_S", "120"))
_QUIET_S = 120.0


@pytest.mark.long
@pytest.mark.timeout(SOAK_S + 600)
async def test_faults_at_random_lose_and_double_nothing(faulty: Ground, figure: Figure, seed: int) -> None:
    management, edge = faulty.strum.services
    nemesis = Nemesis(faulty, {"management": management, "communication": edge}, seed)
    patient = FAST | {"message_attempts": 1000}
    await asyncio.sleep(5)  # RabbitMQ 3.10 loses a quorum queue that was declared in the last five seconds
    async with charging(faulty.strum.ocpp_url, stations=STATIONS, seed=seed, settings=patient) as stations:
        await stations.begun(STATIONS // 2)
        await nemesis.rage(SOAK_S)
        await asyncio.gather(management.ready(), edge.ready())
        findings = await stations.settled(faulty.strum, within_s=_QUIET_S)
        await examine_further(faulty.strum, findings)
    figure("F42", f"faults in {SOAK_S:g} s of soak", len(nemesis.done))
    figure("F42", "transactions compared", findings.checked["transactions"])
    assert findings.clean, (findings, nemesis.done)
    assert nemesis.done
    assert stations.ledger.counts["discarded"] == 0
    assert transaction_messages(stations.ledger, Class.REFUSED) == 0
