"""Thousands of damaged frames against the live services: nothing dies, nothing leaks, nobody else notices.

The quarantine stays empty: what a database cannot store is caught by the edge (rule: before it is published).
"""

import asyncio
import re

import aiohttp
import asyncpg
import pytest

from communication_service.ocpp.versions import Version
from tests.faults.ground import Ground
from tests.faults.honest import honest
from tests.faults.hostile import Hostile
from tests.figures import Figure

MODULES = ("authz", "charge_points", "configuration", "diagnostics", "statistics", "transactions", "users")
_TROUBLE = re.compile(r'"level": "(?:error|critical)"|Traceback')


async def _attack(ground: Ground, seed: int, mutants: int) -> list[Hostile]:
    hostile = [Hostile(ground.strum.ocpp_url, version, seed) for version in Version]
    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(one.attack(session, mutants // 3 + 1) for one in hostile))
    return hostile


async def _quarantined(ground: Ground) -> list[str]:
    connection = await asyncpg.connect(ground.database.url.replace("+asyncpg", ""))
    try:
        tables = [f"SELECT '{name}' AS module, key, reason FROM {name}.quarantine" for name in MODULES]
        return [str(tuple(row)) for row in await connection.fetch(" UNION ALL ".join(tables))]
    finally:
        await connection.close()


def _trouble(ground: Ground) -> list[str]:
    return [
        line[:400]
        for service in ground.strum.services
        for line in service.log.read_text().splitlines()
        if _TROUBLE.search(line)
    ]


async def _check(ground: Ground, hostile: list[Hostile]) -> None:
    assert [wrong for one in hostile for wrong in one.wrong][:5] == []
    assert [code for one in hostile for code in one.closed] == []
    assert all(one.errors > one.sent // 20 for one in hostile), "hardly anything was refused: the mutants are too tame"
    await ground.strum.eventually("/transactions", lambda _: True)
    assert _trouble(ground)[:5] == []
    assert (await _quarantined(ground))[:5] == []


@pytest.fixture
async def attacked(prepared: Ground) -> Ground:
    """The services, which do not close a connection for what is broken: there would be no end of connecting.

    They go straight to broker and database: the proxies would stand still while this process makes a large mutant.
    """
    prepared.strum.environment |= {
        "STRUM_STRIKES_PER_MINUTE": "1000000",
        "STRUM_DATABASE_URL": prepared.database.url,
        "STRUM_AMQP_URL": prepared.broker.url,
    }
    await prepared.strum.management().start()
    await prepared.strum.communication().start()
    await prepared.strum.sign_in()
    return prepared


@pytest.mark.timeout(120)
async def test_five_hundred_damaged_frames_harm_nothing(attacked: Ground, seed: int) -> None:
    await _check(attacked, await _attack(attacked, seed, 500))


@pytest.mark.alone
@pytest.mark.timeout(1500)
async def test_twenty_thousand_damaged_frames_harm_nothing_and_others_do_not_notice(
    attacked: Ground, seed: int, figure: Figure
) -> None:
    async with honest(attacked.strum.ocpp_url, 100) as others:
        await others.measured(5)
        before_s = await others.measured(20)
        others.waited.clear()
        hostile = await _attack(attacked, seed, 20_000)
        during_s = others.p99_s()
        refused = others.refused
    figure("T16", "p99 of honest stations before the mutants", before_s, "s")
    figure("T16", "p99 of honest stations beside 20,000 mutants", during_s, "s", at_most=max(2 * before_s, 0.1))
    assert refused == 0
    await _check(attacked, hostile)
