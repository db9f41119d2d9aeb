"""How often one may ask: the buckets, and what a caller is told."""

import asyncio
from contextlib import AsyncExitStack

import aiohttp
import pytest

from management_service import limits
from management_service.limits import Buckets
from modules.kernel.errors import TooManyRequests
from shared_contracts.users import Role
from tests.harness import Client, running
from tests.management_service.probe import probing


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(limits.time, "monotonic", lambda: now[0])
    return now


def _taken(buckets: Buckets, name: str, tries: int) -> int:
    taken = 0
    for _ in range(tries):
        try:
            buckets.take(name)
        except TooManyRequests:
            break
        taken += 1
    return taken


def test_a_burst_is_let_in_and_then_the_rate(clock: list[float]) -> None:
    buckets = Buckets(rate=2.0, burst=5)
    assert _taken(buckets, "a", 100) == 5
    assert _taken(buckets, "b", 100) == 5, "one caller takes nothing from another"
    clock[0] += 1.0
    assert _taken(buckets, "a", 100) == 2
    clock[0] += 1000.0
    assert _taken(buckets, "a", 100) == 5, "what is saved up is bounded"


def test_who_is_refused_is_told_how_long_to_wait(clock: list[float]) -> None:
    buckets = Buckets(rate=0.1, burst=1)
    buckets.take("a")
    with pytest.raises(TooManyRequests) as refused:
        buckets.take("a")
    assert refused.value.extra["retry_after_s"] == 10
    clock[0] += 10
    buckets.take("a")


def test_what_cost_more_is_owed_and_the_debt_is_bounded(clock: list[float]) -> None:
    buckets = Buckets(rate=1.0, burst=5)
    for _ in range(100):
        buckets.take("a") if _ == 0 else buckets.owe("a", 20.0)
    clock[0] += 5.5
    assert _taken(buckets, "a", 1) == 0
    clock[0] += 1
    assert _taken(buckets, "a", 1) == 1


def test_what_is_remembered_is_bounded(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_REMEMBERED", 10)
    buckets = Buckets(rate=1.0, burst=5)
    for number in range(100):
        buckets.take(str(number))
    assert len(buckets._buckets) == 10


async def test_a_caller_who_asks_too_often_is_told_so_and_others_are_not(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with probing(database, monkeypatch, api_rate=0.5, api_burst=5) as strum:
        greedy, other = strum.api(user_id="u-1"), strum.api(Role.VIEWER, user_id="u-2")
        statuses = [(await greedy.get("/notes"))[0] for _ in range(8)]
        assert statuses == [200] * 5 + [429] * 3
        assert greedy.response is not None
        assert 1 <= int(greedy.response.headers["Retry-After"]) <= 2
        status, problem = await greedy.post("/notes", {"text": "a"})
        assert (status, problem["code"], problem["retry_after_s"]) == (429, "too_many_requests", 2)
        assert (await other.get("/notes"))[0] == 200


async def test_an_address_with_bad_credentials_waits_soon_and_health_never_does(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with probing(database, monkeypatch, api_source_rate=0.1, api_source_burst=50) as strum:
        guessing = strum.nobody()
        guessing.headers["Authorization"] = "Bearer guessed"
        statuses = [(await guessing.get("/notes"))[0] for _ in range(10)]
        assert statuses == [401] * 3 + [429] * 7, "a guess costs as much as twenty requests"
        for path in ("/livez", "/readyz", "/metrics"):
            for _ in range(20):
                async with strum.session.get(f"http://127.0.0.1:{strum.management.port}{path}") as answer:
                    assert answer.status == 200


async def test_who_is_known_goes_on_while_another_guesses_at_their_address(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One machine with a key that was revoked must not shut out the whole house."""
    async with probing(database, monkeypatch, api_source_rate=0.1, api_source_burst=50) as strum:
        person, guessing = strum.api(), strum.nobody()
        guessing.headers["Authorization"] = "Bearer guessed"
        assert (await person.get("/notes"))[0] == 200
        assert [(await guessing.get("/notes"))[0] for _ in range(10)][-1] == 429
        assert [(await person.get("/notes"))[0] for _ in range(10)] == [200] * 10
        assert (await strum.nobody().get("/open"))[0] == 200


async def _open(opened: AsyncExitStack, caller: Client) -> aiohttp.ClientResponse:
    stream = caller.session.get(caller.base + "/stream", headers=caller.headers)
    return await opened.enter_async_context(stream)


async def test_of_streams_a_caller_has_so_many_and_may_open_another_when_one_ended(database: str) -> None:
    async with running(database, "diagnostics", api_streams=2) as strum, AsyncExitStack() as opened:
        first, other = strum.api(user_id="u-1"), strum.api(Role.VIEWER, user_id="u-2")
        streams = [await _open(opened, first) for _ in range(4)]
        assert [stream.status for stream in streams] == [200, 200, 429, 429]
        assert int(streams[2].headers["Retry-After"]) > 0
        assert (await _open(opened, other)).status == 200
        assert (await first.get("/statuses"))[0] == 200, "what is asked and answered goes on"

        streams[0].close()
        async with asyncio.timeout(10):
            while (await _open(opened, first)).status != 200:
                await asyncio.sleep(0.1)
