"""F40: everything dies at once and comes back in any order; whoever lacks another waits for it."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from simulator.ledger import Class
from tests.e2e.stack import Service
from tests.faults.fleets import FAST, charging, transaction_messages
from tests.faults.ground import Ground
from tests.faults.verdicts import examine_further
from tests.figures import Figure

STATIONS = 30
BETWEEN_S = 3.0
ORDERS = (
    ("communication", "management", "database", "broker"),
    ("management", "communication", "broker", "database"),
    ("broker", "communication", "database", "management"),
    ("database", "management", "broker", "communication"),
)

Start = Callable[[], Awaitable[object]]


async def start_all(starts: dict[str, Start], order: tuple[str, ...]) -> None:
    """One after the other, with a pause in which its dependencies are missed."""
    for name in order:
        await asyncio.sleep(BETWEEN_S)
        await starts[name]()


async def kill_all(ground: Ground, services: list[Service]) -> None:
    await ground.broker.kill()
    await ground.database.kill()
    for service in services:
        await service.kill()


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_what_was_killed_together_starts_in_any_order(prepared: Ground, figure: Figure, seed: int) -> None:
    strum = prepared.strum
    management, edge = await strum.management().start(), await strum.communication().start()
    await strum.sign_in()
    starts: dict[str, Start] = {
        "broker": prepared.broker.start,
        "database": prepared.database.start,
        "management": lambda: management.start(wait=False),
        "communication": lambda: edge.start(wait=False),
    }
    await asyncio.sleep(5)  # RabbitMQ 3.10 loses a quorum queue that was declared in the last five seconds
    async with charging(
        strum.ocpp_url, stations=STATIONS, seed=seed, settings=FAST | {"message_attempts": 100}
    ) as stations:
        await stations.begun(STATIONS // 2)
        for order in ORDERS:
            await kill_all(prepared, [management, edge])
            await start_all(starts, order)
            began = time.monotonic()
            await asyncio.gather(management.ready(), edge.ready())
            figure("F40", f"ready after the last of {', '.join(order)}", time.monotonic() - began, "s", at_most=60)
            await stations.begun(stations.ledger.counts["charges_started"] + STATIONS // 3)
        findings = await examine_further(strum, await stations.settled(strum, within_s=90))
    assert findings.clean, findings
    assert stations.ledger.counts["unanswered"] > 0, "the kills hit nothing: the test proves nothing"
    assert stations.ledger.counts["discarded"] == 0
    assert transaction_messages(stations.ledger, Class.REFUSED) == 0
