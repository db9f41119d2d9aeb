"""The watch over a database: when it is given up. And what its refusals say."""

import asyncio
import traceback
from typing import Any

import asyncpg
import pytest
from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError

from management_service import databases
from management_service.databases import Database
from management_service.settings import ManagementSettings
from modules.kernel.errors import Unavailable
from modules.kernel.work import Work
from tests.management_service.probe import metadata, probing


class Silent:
    """A server that takes connections and never says a word: to connect takes too long."""

    tries = 0

    def connect(self) -> Any:
        self.tries += 1
        raise TimeoutError

    async def dispose(self) -> None:
        """Nothing is open."""


def _refuses(database: Database) -> bool:
    try:
        database.check()
    except Unavailable:
        return True
    return False


@pytest.mark.parametrize("was_answering", [True, False])
async def test_a_server_that_left_an_answer_out_is_given_up_where_it_lets_nobody_in_either(
    database: str, monkeypatch: pytest.MonkeyPatch, was_answering: bool
) -> None:
    """As after our own host stood still: that an answer is late then tells nothing, but statements may wait for ever.

    Slow connecting alone is no reason to cut those that live.
    """
    monkeypatch.setattr(databases, "_WATCH_EVERY_S", 0.01)
    watched = Database(database, ManagementSettings(database_url=database))
    silent, asked = Silent(), asyncio.Event()

    async def ask(_: Any) -> None:
        watched._watching = silent  # type: ignore[assignment]  # from now on
        asked.set()
        if was_answering:
            raise ConnectionError("closed, not silent")

    monkeypatch.setattr(watched, "_ask", ask)
    await watched.wait()
    try:
        async with watched.working.connect(), asyncio.timeout(5):
            await asked.wait()
            while silent.tries < 3:
                await asyncio.sleep(0.01)
            assert _refuses(watched) is not was_answering
    finally:
        await watched.close()


async def test_what_the_database_refuses_is_not_quoted_in_the_error(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL details rows and keys: with the id tokens and hashes in them they would go into logs."""
    async with probing(database, monkeypatch) as strum:
        (hosted,) = strum.management.hosted
        secret, errors = "CANARY-5309", list[BaseException]()
        for attempt in (_insert_twice, _copy_twice):
            with pytest.raises((DBAPIError, asyncpg.PostgresError)) as refused:
                async with hosted.work() as work:
                    await attempt(work, secret)
            errors.append(refused.value)
        for error in errors:
            assert "duplicate key" in "".join(traceback.format_exception(error))
            assert secret not in "".join(traceback.format_exception(error)) + repr(error)


async def _insert_twice(work: Work, secret: str) -> None:
    for _ in range(2):
        await work.execute(insert(metadata.tables["probe.inbox"]).values(delivery_id=secret))


async def _copy_twice(work: Work, secret: str) -> None:
    await work.copy(metadata.tables["probe.inbox"], ("delivery_id",), [(secret,), (secret,)])
