import asyncio
from pathlib import Path

import asyncpg
import pytest

from tests.services import PrivatePostgres


async def run_sql(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_what_was_committed_is_there_after_a_kill_under_the_same_url(tmp_path: Path) -> None:
    async with PrivatePostgres(tmp_path) as server:
        await run_sql(server.url, "CREATE TABLE kept AS SELECT 42 AS answer")

        await server.kill()
        with pytest.raises((OSError, asyncpg.PostgresError)):
            await run_sql(server.url, "SELECT 1")
        await server.start()

        assert await run_sql(server.url, "SELECT answer FROM kept") == 42


async def test_a_frozen_server_answers_again_when_it_thaws(tmp_path: Path) -> None:
    async with PrivatePostgres(tmp_path) as server:
        server.freeze()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await run_sql(server.url, "SELECT 1")

        server.thaw()

        assert await run_sql(server.url, "SELECT 1") == 1
