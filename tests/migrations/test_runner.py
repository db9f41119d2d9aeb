"""When there is something to migrate, and when not."""

import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url
from structlog.testing import capture_logs

import migrations
from migrations.runner import _revisions

_UP_TO_DATE = """
import asyncio, sys
import migrations
asyncio.run(migrations.upgrade(sys.argv[1]))
assert "alembic" not in sys.modules
"""


async def execute(database: str, statement: str) -> None:
    connection = await asyncpg.connect(make_url(database).set(drivername="postgresql").render_as_string(False))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def test_what_is_up_to_date_is_left_alone_without_loading_the_tool(database: str) -> None:
    subprocess.run([sys.executable, "-c", _UP_TO_DATE, database], check=True)


async def test_what_is_behind_is_migrated(database: str) -> None:
    await execute(database, "DROP SCHEMA statistics CASCADE")
    await migrations.upgrade(database)
    await execute(database, "SELECT * FROM statistics.inbox")


async def test_a_schema_of_a_later_release_is_taken_as_it_is(database: str) -> None:
    await execute(database, "UPDATE statistics.schema_version SET version_num = 'statistics_9999'")
    with capture_logs() as lines:
        await migrations.upgrade(database)
    assert [(line["event"], line["schema"]) for line in lines] == [("migrated_by_a_later_release", "statistics")]


@pytest.mark.parametrize("module", migrations.MODULES)
def test_every_revision_is_found(module: str) -> None:
    history = Path(migrations.__file__).parent / module
    assert len(_revisions(history)) == len(list(history.glob("[0-9]*.py"))) > 0
