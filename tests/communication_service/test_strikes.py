"""A station whose connection was closed for broken messages is held off for a while, and nothing of it is lost."""

import asyncio

from communication_service.ocpp.versions import Version
from shared_contracts.transactions import OpenTransaction
from tests.communication_service.edge import Edge, edge
from tests.communication_service.phrases import begin
from tests.communication_service.test_admission import basic, locked
from tests.communication_service.test_registry import two_pods
from tests.security.dialling import connected, knock

HOME, ELSEWHERE = "127.0.0.2", "127.0.0.3"
RIGHT = {"Authorization": basic("CS1", b"secret")}
WRONG = {"Authorization": basic("CS1", b"guessed")}


async def strike_out(e: Edge, **headers: str) -> None:
    """Connect as CS1, and send nonsense until the connection is closed."""
    async with e.station(headers=headers) as station:
        for _ in range(e.communication.settings.strikes_per_minute + 1):
            await station.send("{}")
        assert await station.closed() == 1008


async def test_it_gets_429_and_the_time_to_come_again_from_wherever_it_comes() -> None:
    async with edge(strikes_per_minute=3) as e:
        await strike_out(e)
        for source in (HOME, ELSEWHERE):
            status, headers = await knock(e, source)
            assert status == 429
            assert 55 <= int(headers["retry-after"]) <= 60
        assert (await knock(e, HOME, "CS2"))[0] == 101


async def test_it_is_held_off_before_it_has_closed_its_side() -> None:
    async with edge(strikes_per_minute=1) as e, e.raw() as station:
        station.send("{}")
        station.send("{}")
        first, _ = await station.receive()
        assert first == 0x88
        assert (await knock(e, HOME))[0] == 429


async def test_it_comes_back_with_its_transactions_and_begins_at_zero() -> None:
    async with edge(strikes_per_minute=3, strike_hold_s=0.5) as e:
        await strike_out(e)
        assert (await knock(e, HOME))[0] == 429
        await asyncio.sleep(0.6)
        async with e.station() as station:
            for _ in range(3):
                await station.send("{}")
            await station.send(begin(Version.V16))
            assert (await station.receive())[:2] == [3, "7"]
        assert len(e.asked(OpenTransaction)) == 1


async def test_without_the_credentials_nobody_has_it_held_off_nor_learns_that_it_is() -> None:
    async with edge(modules=locked(), strikes_per_minute=3, failures_per_station=100) as e:
        for _ in range(9):
            async with connected(e, ELSEWHERE) as stranger:
                assert (await stranger.upgrade("CS1", **WRONG))[0] == 401
                stranger.send("{}")
        assert (await knock(e, HOME, **RIGHT))[0] == 101
        await strike_out(e, **RIGHT)
        assert (await knock(e, ELSEWHERE, **WRONG))[0] == 401
        assert (await knock(e, HOME, **RIGHT))[0] == 429


async def test_each_pod_holds_off_by_itself() -> None:
    async with two_pods() as (a, b):
        await strike_out(a)
        assert [(await knock(pod, HOME))[0] for pod in (a, b)] == [429, 101]


async def test_a_time_of_zero_holds_nobody_off() -> None:
    async with edge(strikes_per_minute=3, strike_hold_s=0) as e:
        await strike_out(e)
        assert (await knock(e, HOME))[0] == 101
