"""What an orchestrator asks may be asked by anybody, as often as they like."""

import asyncio

import aiohttp
import pytest
from sqlalchemy import event

from management_service.databases import Database
from tests.management_service.probe import probing


async def test_a_flood_of_questions_leaves_the_connections_to_consumers(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with probing(database, monkeypatch) as strum:
        (hosted,) = strum.management.hosted
        url = f"http://127.0.0.1:{strum.management.port}/readyz"
        taken: list[object] = []
        event.listen(hosted.database.working.sync_engine, "checkout", lambda *_: taken.append(None))

        async def ask() -> int:
            async with strum.session.get(url) as answer:
                return answer.status

        answers = await asyncio.gather(*(ask() for _ in range(200)))
        assert set(answers) == {200}
        assert len(taken) < 20, "a few are of services"


async def test_those_who_ask_while_the_database_is_asked_wait_for_its_answer(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()
    times = 0

    async def answers(_: Database) -> bool:
        nonlocal times
        times += 1
        asked.set()
        await answer.wait()
        return times > 1

    async with probing(database, monkeypatch) as strum:
        monkeypatch.setattr(Database, "answers", answers)
        url = f"http://127.0.0.1:{strum.management.port}/readyz"

        async def ask() -> int:
            async with strum.session.get(url, timeout=aiohttp.ClientTimeout(5)) as answered:
                return answered.status

        waiting = [asyncio.create_task(ask()) for _ in range(20)]
        await asked.wait()
        waiting[0].cancel()
        await asyncio.sleep(0.1)
        answer.set()
        assert [await one for one in waiting[1:]] == [503] * 19
        assert times == 1
        assert await ask() == 200, "a database that comes back is not waited for"
        assert await ask() == 200
        assert times == 2
