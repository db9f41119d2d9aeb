"""F42: faults at random for STRUM_TEST_SOAK_S seconds under stations that charge; then silence, and the oracle."""

import asyncio
import os
from itertools import islice, product

import pytest

from simulator.ledger import Class
from tests.e2e.stack import SHARDS
from tests.faults.databases import set_aside
from tests.faults.fleets import FAST, charging, transaction_messages
from tests.faults.ground import Ground
from tests.faults.nemesis import POISONED, POISONER, Nemesis, plan
from tests.faults.proxy import FaultProxy
from tests.faults.verdicts import examine_further
from tests.figures import Figure

STATIONS = 30
SOAK_S = float(os.environ.get("STRUM_TEST_SOAK_S", "120"))
_QUIET_S = 120.0
_BLOWS = 200


@pytest.mark.long
@pytest.mark.timeout(SOAK_S + 600)
async def test_faults_at_random_lose_and_double_nothing(faulty: Ground, figure: Figure, seed: int) -> None:
    strum = faulty.strum
    management, edge = strum.services
    patient = FAST | {"message_attempts": 1000}
    await asyncio.sleep(5)  # RabbitMQ 3.10 loses a quorum queue that was declared in the last five seconds
    async with FaultProxy(strum.ocpp_port, seed=seed) as line:
        nemesis = Nemesis(faulty, {"management": management, "communication": edge}, line, seed)
        url = strum.ocpp_url.replace(str(strum.ocpp_port), str(line.port))
        async with charging(url, stations=STATIONS, settings=patient) as stations:
            await stations.begun(STATIONS // 2)
            await nemesis.rage(SOAK_S)
            await asyncio.gather(management.ready(), edge.ready())
            await strum.sign_in()
            findings = await stations.settled(strum, within_s=_QUIET_S)
            await examine_further(strum, findings)
    figure("F42", f"faults in {SOAK_S:g} s of soak", len(nemesis.done))
    figure("F42", "transactions compared", findings.checked["transactions"])
    assert findings.clean, (findings, nemesis.done)
    assert nemesis.done
    assert stations.ledger.counts["discarded"] == 0
    assert transaction_messages(stations.ledger, Class.REFUSED) == 0
    await _nothing_but_the_poison_is_set_aside(faulty, nemesis)


async def _nothing_but_the_poison_is_set_aside(ground: Ground, nemesis: Nemesis) -> None:
    poisonings = sum(blow.harm == "poisoned" for blow in nemesis.done)
    aside = await set_aside(ground)
    assert {item["station_id"] for item in aside} <= {POISONER}, aside
    for key in POISONED:
        assert len([item for item in aside if item["key"] == key]) >= poisonings * SHARDS, (key, aside)


def test_a_seed_fixes_who_is_struck_by_what_when_and_for_how_long() -> None:
    harms = {f"victim {victim}": "abcde" for victim in range(5)}
    first, again, other = (list(islice(plan(harms, seed), _BLOWS)) for seed in (48, 48, 49))
    assert first == again
    assert first != other
    blows = [blow for _, blows in first for blow in blows]
    assert {(blow.victim, blow.harm) for blow in blows} == set(product(harms, "abcde")), "everything is tried"
    assert len(blows) > _BLOWS, "sometimes two at once"
    assert all(len({blow.victim for blow in blows}) == len(blows) for _, blows in first), "never the same twice at once"
