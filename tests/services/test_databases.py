import asyncio
import os
from datetime import UTC, datetime, timedelta

import asyncpg
from sqlalchemy import make_url

from tests.services.databases import Run, fresh_database, make_template, url_of


async def names(server: str, run: Run) -> set[str]:
    connection = await asyncpg.connect(server.replace("+asyncpg", ""))
    try:
        rows = await connection.fetch("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", str(run))
        return {row["datname"] for row in rows}
    finally:
        await connection.close()


async def execute(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def migrate(url: str) -> None:
    await execute(url, "CREATE TABLE migrated (at timestamptz)")


def another_run(day: str) -> Run:
    """A run that nobody else has, and that is not over: its process is our parent."""
    return Run(day, Run.of_this_process().machine, os.getppid())


async def test_a_fresh_database_is_a_copy_of_the_template_and_is_dropped(postgres_url: str) -> None:
    run = another_run("20990101")
    template = await make_template(postgres_url, run, migrate)

    async with fresh_database(postgres_url, run, template) as url:
        assert await execute(url, "SELECT count(*) FROM migrated") == 0
        assert len(await names(postgres_url, run)) == 2

    assert await names(postgres_url, run) == {template}
    await execute(postgres_url, f"DROP DATABASE {template}")


async def test_a_fresh_database_is_dropped_while_it_is_in_use(postgres_url: str, database_template: str) -> None:
    run = Run.of_this_process()
    async with fresh_database(postgres_url, run, database_template) as url:
        busy = await asyncpg.connect(url.replace("+asyncpg", ""))

    assert make_url(url).database not in await names(postgres_url, run)
    busy.terminate()


async def test_the_template_is_made_once_by_workers_that_ask_together(postgres_url: str) -> None:
    made: list[str] = []

    async def migrate_and_count(url: str) -> None:
        made.append(url)
        await migrate(url)

    run = another_run("20990102")
    templates = await asyncio.gather(*(make_template(postgres_url, run, migrate_and_count) for _ in range(3)))

    assert len(made) == 1
    assert set(templates) == {f"{run}_template"}
    await execute(postgres_url, f"DROP DATABASE {run}_template")


async def test_what_a_killed_run_left_behind_is_dropped(postgres_url: str) -> None:
    process = await asyncio.create_subprocess_exec("true")
    await process.wait()
    killed = Run("20990103", Run.of_this_process().machine, process.pid)
    await execute(postgres_url, f"CREATE DATABASE {killed}_left")
    run = another_run("20990104")

    await make_template(postgres_url, run, migrate)

    assert await names(postgres_url, killed) == set()
    await execute(postgres_url, f"DROP DATABASE {run}_template")


def test_a_run_on_another_machine_is_over_after_two_days() -> None:
    today = datetime.now(UTC)

    assert not Run(today.strftime("%Y%m%d"), "othermachine", 1).is_over
    assert Run((today - timedelta(days=2)).strftime("%Y%m%d"), "othermachine", 1).is_over


def test_a_name_that_is_not_of_a_test_belongs_to_no_run() -> None:
    assert Run.parse("postgres") is None
    assert Run.parse("strumtest_x") is None
    assert Run.parse("strumtest_20260101_cafe_17_0a1b") == Run("20260101", "cafe", 17)


def test_the_url_of_a_database_keeps_the_rest_of_the_servers_url() -> None:
    server = "postgresql+asyncpg://me:secret@/postgres?host=%2Frun%2Fdir"

    assert url_of(server, "mine") == "postgresql+asyncpg://me:secret@/mine?host=%2Frun%2Fdir"
