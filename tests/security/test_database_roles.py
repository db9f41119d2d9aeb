"""A module's role does its module's work, and sees nothing of another's schema."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import make_url

from management_service.databases import Database
from management_service.hosted import Hosted
from management_service.settings import ManagementSettings
from migrations import MODULES
from modules import catalogue
from modules.diagnostics import module as diagnostics
from modules.diagnostics.settings import DiagnosticsSettings
from modules.kernel.partitions import drop_old
from shared_contracts.memory import MemoryBus
from tests.e2e.stack import ADMIN
from tests.harness import running
from tests.modules.diagnostics.said import connected as station_connected
from tests.modules.diagnostics.said import sampled, started
from tests.modules.kernel.test_partitions import EVENTS
from tests.services import PrivatePostgres

pytestmark = pytest.mark.asyncio(loop_scope="module")

OWNER = "strum_owner"
PAIRS = [(own, other) for own in MODULES for other in MODULES if own != other]
FORBIDDEN = asyncpg.InsufficientPrivilegeError
LISTS = ("/charging-stations", "/events", "/id-tokens", "/statistics/totals", "/transactions", "/users")


class Roles:
    """A server that asks everybody but its administrator for a password, migrated with `strum migrate --roles`."""

    def __init__(self, server: PrivatePostgres) -> None:
        self.server = server
        self.urls = {name: self.url(f"strum_{name}", f"{name}'s secret") for name in MODULES}

    def url(self, user: str, password: str) -> str:
        return make_url(self.server.url).set(username=user, password=password).render_as_string(hide_password=False)

    @asynccontextmanager
    async def connected(self, url: str) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(
            make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        )
        try:
            yield connection
        finally:
            await connection.close()

    async def migrate(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """Run the command as the owner, who is no superuser."""
        given = {f"STRUM_{name.upper()}__DATABASE_URL": url for name, url in self.urls.items()}
        given |= {"STRUM_DATABASE_URL": self.url(OWNER, "the owner's"), **environment}
        rest = {name: value for name, value in os.environ.items() if not name.startswith("STRUM_")}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "strum", "migrate", *arguments),
            env=rest | given,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
        assert process.returncode is not None
        return process.returncode, said.decode()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def roles(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Roles]:
    directory: Path = tmp_path_factory.mktemp("roles")
    async with PrivatePostgres(directory, durable=False) as server:
        made = Roles(server)
        async with made.connected(server.url) as administrator:
            await administrator.execute(f"CREATE ROLE {OWNER} LOGIN CREATEROLE PASSWORD 'the owner''s'")
            await administrator.execute(f"ALTER DATABASE postgres OWNER TO {OWNER}")
            await administrator.execute(f"ALTER SCHEMA public OWNER TO {OWNER}")
            access = await administrator.fetchval("SHOW hba_file")
            await asyncio.to_thread(Path(access).write_text, "local all postgres trust\nlocal all all scram-sha-256\n")
            await administrator.execute("SELECT pg_reload_conf()")
        code, said = await made.migrate("--roles")
        assert code == 0, said
        yield made


@pytest.mark.parametrize(("own", "other"), PAIRS, ids=[f"{own}-{other}" for own, other in PAIRS])
async def test_a_role_sees_nothing_of_another_schema(roles: Roles, own: str, other: str) -> None:
    schema = MODULES[other]
    async with roles.connected(roles.urls[own]) as connection:
        tables = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = "
            "(SELECT oid FROM pg_namespace WHERE nspname = $1) AND relkind IN ('r', 'p')",
            schema,
        )
        assert len(tables) >= 5
        for (table,) in tables:
            with pytest.raises(FORBIDDEN):
                await connection.fetch(f'SELECT * FROM "{schema}"."{table}"')
        for statement in (
            f"INSERT INTO {schema}.inbox (delivery_id) VALUES ('x')",
            f"DELETE FROM {schema}.outbox",
            f"CREATE TABLE {schema}.mine (x int)",
            f"DROP TABLE {schema}.outbox",
            f"CREATE FUNCTION {schema}.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            f"SET ROLE strum_{other}",
            f"SET ROLE {OWNER}",
        ):
            with pytest.raises(FORBIDDEN):
                await connection.execute(statement)


@pytest.mark.parametrize("name", MODULES)
async def test_a_role_changes_no_table_but_those_by_weeks_and_no_database(roles: Roles, name: str) -> None:
    schema = MODULES[name]
    async with roles.connected(roles.urls[name]) as connection:
        for statement in (
            f"ALTER TABLE {schema}.outbox ADD COLUMN mine int",
            f"DROP TABLE {schema}.inbox",
            f"TRUNCATE {schema}.quarantine",
            f"UPDATE {schema}.schema_version SET version_num = 'x'",
            "CREATE TABLE public.mine (x int)",
            "CREATE TEMPORARY TABLE mine (x int)",
            "CREATE SCHEMA mine",
            "CREATE ROLE mine",
            "COPY (SELECT 1) TO PROGRAM 'true'",
        ):
            with pytest.raises(FORBIDDEN):
                await connection.execute(statement)


async def test_a_role_needs_its_password(roles: Roles) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        async with roles.connected(roles.url("strum_users", "a guess")):
            pass


async def test_every_module_does_its_work_with_its_role_and_the_owner_is_not_there(roles: Roles) -> None:
    settings: dict[str, Any] = {name: {"database_url": url} for name, url in roles.urls.items()}
    settings |= {"admin_email": ADMIN[0], "admin_password": ADMIN[1], "database_pool_size": 5}
    async with running("postgresql+asyncpg://nobody@127.0.0.1:1/nowhere", *catalogue.NAMES, **settings) as strum:
        await strum.publish(station_connected(), sampled(), started())
        client = strum.nobody()
        status, session = await client.post("/sessions", {"email": ADMIN[0], "password": ADMIN[1]})
        assert status == 200, session
        client.headers["Authorization"] = f"Bearer {session['access_token']}"
        for path in LISTS:
            status, body = await client.get(path)
            assert status == 200, (path, body)
    for name, url in roles.urls.items():
        async with roles.connected(url) as connection:
            assert await connection.fetchval(f'SELECT count(*) FROM "{MODULES[name]}".quarantine') == 0


async def test_the_role_makes_and_drops_weeks(roles: Roles) -> None:
    url = roles.urls["diagnostics"]
    database = Database(url, ManagementSettings(database_url=url))
    context = Hosted(diagnostics, database, MemoryBus(), DiagnosticsSettings())
    async with roles.connected(url) as connection:
        await connection.execute(
            "CREATE TABLE diagnostics.events_20200106 PARTITION OF diagnostics.events "
            "FOR VALUES FROM ('2020-01-06') TO ('2020-01-13')"
        )
        assert await drop_old(context, EVENTS)
        assert await connection.fetchval("SELECT to_regclass('diagnostics.events_20200106')") is None
    await database.close()


async def test_migrating_again_changes_nothing_and_takes_a_new_password(roles: Roles) -> None:
    changed = roles.url("strum_users", 'another: it\'s "new"')
    code, said = await roles.migrate("--roles", STRUM_USERS__DATABASE_URL=changed)
    assert code == 0, said
    async with roles.connected(changed) as connection:
        assert await connection.fetchval("SELECT count(*) FROM users.outbox") == 0
    assert (await roles.migrate("--roles"))[0] == 0


async def test_modules_that_share_a_user_are_refused_in_a_sentence(roles: Roles) -> None:
    code, said = await roles.migrate("--roles", STRUM_USERS__DATABASE_URL=roles.urls["transactions"])
    assert code == 2
    assert (
        said == "strum: STRUM_USERS__DATABASE_URL: with --roles each module has a user of its own, with a password.\n"
    )
