"""F3: `kill -9` at each step between a station's socket, the broker's confirm, the commit and the acknowledgement."""

import asyncio

import pytest

from simulator.ledger import Class
from tests.e2e.stack import Service
from tests.faults import crashes_at_edge, crashes_in_management
from tests.faults.crashes import crashed, sabotaged, some_time
from tests.faults.fleets import charging, transaction_messages
from tests.faults.ground import Ground
from tests.faults.verdicts import examine_further
from tests.figures import Figure

STATIONS = 30


async def replaced(victim: Service, point: str) -> None:
    """Wait for its end, and start it as it should be."""
    await crashed(victim, point)
    await victim.start()


async def charge_and_crash(ground: Ground, victims: dict[str, Service], seed: int, figure: Figure) -> None:
    """The victims, which are running sabotaged, end at their points amid charges and come back as they should be."""
    strum = ground.strum
    async with charging(strum.ocpp_url, stations=STATIONS, seed=seed, meter_interval=10) as stations:
        await asyncio.gather(*(replaced(victim, point) for point, victim in victims.items()))
        await stations.begun(STATIONS)
        await stations.sampled(STATIONS + 1)
        findings = await examine_further(strum, await stations.settled(strum, within_s=120))
    assert findings.clean, findings
    assert findings.checked["stops"] >= STATIONS
    assert findings.checked["samples"] > STATIONS
    assert stations.ledger.counts["discarded"] == 0
    assert transaction_messages(stations.ledger, Class.REFUSED) == 0
    figure("F3", f"messages repeated after a crash {' and '.join(victims)}", stations.ledger.counts["unanswered"])


@pytest.mark.timeout(240)
async def test_both_services_dying_amid_charges_lose_and_double_nothing(
    prepared: Ground, figure: Figure, seed: int
) -> None:
    strum = prepared.strum
    at_the_edge, in_management = "after_confirm_before_reply", "after_commit_before_ack"
    management, edge = strum.management(), strum.communication()
    with sabotaged(management, crash_at=f"{in_management}:3"), sabotaged(edge, crash_at=f"{at_the_edge}:5"):
        await management.start()
        await edge.start()
    await strum.sign_in()
    await charge_and_crash(prepared, {at_the_edge: edge, in_management: management}, seed, figure)


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.parametrize("point", crashes_at_edge.POINTS)
async def test_an_edge_that_dies_at_any_step_loses_and_doubles_nothing(
    prepared: Ground, figure: Figure, seed: int, point: str
) -> None:
    strum = prepared.strum
    await strum.management().start()
    await strum.sign_in()
    edge = strum.communication()
    with sabotaged(edge, crash_at=f"{point}:{some_time(seed, point, most=30)}"):
        await edge.start()
    await charge_and_crash(prepared, {point: edge}, seed, figure)


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.parametrize("point", crashes_in_management.POINTS)
async def test_a_management_that_dies_at_any_step_loses_and_doubles_nothing(
    prepared: Ground, figure: Figure, seed: int, point: str
) -> None:
    strum = prepared.strum
    management = strum.management()
    with sabotaged(management, crash_at=f"{point}:{some_time(seed, point, most=30)}"):
        await management.start()
    await strum.sign_in()
    await strum.communication().start()
    await charge_and_crash(prepared, {point: management}, seed, figure)
