"""A database is used again where a test wrote rows and nothing else."""

import asyncpg
import pytest

from tests.services.databases import Run, recycled_database


async def _execute(url: str, *statements: str) -> object:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        for statement in statements:
            found = await connection.fetchval(statement)
        return found
    finally:
        await connection.close()


_STATION = (
    "INSERT INTO charge_points.stations (station_id, registration, security_profile, created_at, updated_at) "
    "VALUES ('CS1', 'accepted', 1, now(), now())"
)
_QUARANTINED = "INSERT INTO users.quarantine (body, reason) VALUES ('', 'x') RETURNING id"
_WEEK = (
    "CREATE TABLE diagnostics.events_p20200106 PARTITION OF diagnostics.events "
    "FOR VALUES FROM ('2020-01-06') TO ('2020-01-13')"
)


async def test_rows_numbers_and_weeks_that_a_test_left_are_gone(postgres_url: str, database_template: str) -> None:
    run = Run.of_this_process()
    async with recycled_database(postgres_url, run, database_template) as first:
        command = "INSERT INTO charge_points.connectors VALUES ('CS1', 1, 1)"
        assert await _execute(first, _STATION, command, _WEEK, _QUARANTINED) == 1
        busy = await asyncpg.connect(first.replace("+asyncpg", ""))
        await busy.execute("BEGIN; LOCK TABLE charge_points.stations")

    async with recycled_database(postgres_url, run, database_template) as again:
        assert again != first, "who outlived the first test does not find it"
        assert await _execute(again, "SELECT pg_backend_pid() > 0")
        for table in ("charge_points.stations", "charge_points.connectors", "users.quarantine"):
            assert await _execute(again, f"SELECT count(*) FROM {table}") == 0
        assert await _execute(again, "SELECT count(*) FROM users.schema_version") == 1
        assert await _execute(again, "SELECT to_regclass('diagnostics.events_p20200106') IS NULL")
        assert await _execute(again, _QUARANTINED) == 1
    assert busy.is_closed()


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE public.mine (a int)",
        "ALTER TABLE users.users ADD COLUMN colour text",
        "ALTER TABLE users.users ALTER COLUMN email DROP NOT NULL",
        "DROP INDEX charge_points.commands_open_idx",
        "GRANT SELECT ON users.users TO public",
        "CREATE SCHEMA more",
        "REVOKE ALL ON SCHEMA public FROM public",
        "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "UPDATE users.schema_version SET version_num = '0000'",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET lock_timeout = 7', current_database()); END $$",
    ],
)
async def test_a_database_that_a_test_changed_otherwise_is_not_used_again(
    postgres_url: str, database_template: str, change: str
) -> None:
    run = Run.of_this_process()
    async with recycled_database(postgres_url, run, database_template) as first:
        await _execute(first, change)
    async with recycled_database(postgres_url, run, database_template) as another:
        assert another != first
