"""F12 and F13: the database is killed, or stands still. Stations charge on; nobody is refused, nothing is set aside."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from simulator.ledger import Class
from tests.faults.databases import Asked, asking, depths, drained, frozen, set_aside
from tests.faults.fleets import FAST, charging, transaction_messages, until
from tests.faults.ground import Ground
from tests.faults.sizes import SOON_S, TEN_MINUTES
from tests.figures import Figure
from tests.services.postgres import PrivatePostgres

STATIONS = 30

Away = Callable[[PrivatePostgres], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def killed(database: PrivatePostgres) -> AsyncIterator[None]:
    await database.kill()
    yield
    await database.start()


@pytest.mark.long
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("away_s", [10, 60, TEN_MINUTES])
@pytest.mark.parametrize(("row", "away"), [("F12", killed), ("F13", frozen)], ids=["killed", "frozen"])
async def test_a_database_that_is_away_costs_no_message(
    faulty: Ground, figure: Figure, row: str, away: Away, away_s: int
) -> None:
    patient = {"message_attempts": 40, "message_retry_s": 2}
    async with charging(faulty.strum.ocpp_url, stations=STATIONS, settings=FAST | patient) as stations:
        await stations.begun(STATIONS // 3)
        async with asking(faulty) as asked:
            async with away(faulty.database):
                await asyncio.sleep(away_s)
                during = transaction_messages(stations.ledger, Class.ANSWERED)
            began = time.monotonic()
            what = "an answer"
            await until(lambda: transaction_messages(stations.ledger, Class.ANSWERED) > during, what, within_s=60)
            figure(row, f"first answer after {away_s} s", time.monotonic() - began, "s")
            await drained(faulty, within_s=120)
            figure(
                row, f"backlog of {away_s} s drained", time.monotonic() - began, "s", at_most=max(away_s / 2, SOON_S)
            )
        _hold_the_api_to_it(asked, row, figure)
        await stations.begun(STATIONS)
        findings = await stations.settled(faulty.strum)
    assert findings.clean, findings
    assert findings.checked["stops"] >= STATIONS
    assert stations.ledger.counts["discarded"] == 0
    assert transaction_messages(stations.ledger, Class.REFUSED) == 0
    assert (await depths(faulty.broker))["strum.dead"] == 0, "deliveries were spent on our own trouble"
    assert await set_aside(faulty) == []


def _hold_the_api_to_it(asked: Asked, row: str, figure: Figure) -> None:
    assert asked.statuses[503] > 0, "the API did not notice: the test proves nothing"
    assert set(asked.statuses) <= {200, 503}, asked
    assert asked.without_retry_after == 0
    figure(row, "slowest answer of the API", asked.slowest_s, "s", at_most=6)
