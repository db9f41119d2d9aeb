"""What every test may ask for: real servers, a fresh database, a prefix for names on the broker.

Under xdist the controller has the servers ready before the workers start, and ends them after the last one; in a
run without workers they start when the first test asks. `tests/services` says where they come from.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, ExitStack

import pytest

import migrations
from tests.services import ServiceMissing, postgres_server, rabbitmq_server
from tests.services.databases import Run, drop_databases, make_template, recycled_database
from tests.services.offers import AMQP_URL, DATABASE_URL
from tests.services.queues import drop_names

pytest_plugins = ["tests.figures"]

_RUN = "STRUM_TEST_RUN"
_SERVERS = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_SERVERS] = ExitStack()
    if not _is_worker(config):
        os.environ[_RUN] = str(Run.of_this_process())


def pytest_sessionstart(session: pytest.Session) -> None:
    if not _is_worker(session.config) and session.config.getoption("numprocesses", None):
        os.environ[DATABASE_URL] = _postgres(session.config)
        os.environ[AMQP_URL] = _rabbitmq(session.config)


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[_SERVERS].close()


@pytest.fixture(scope="session")
def postgres_url(pytestconfig: pytest.Config) -> str:
    """The URL of a PostgreSQL server; a test that writes wants `database` instead."""
    return os.environ[DATABASE_URL] if _is_worker(pytestconfig) else _postgres(pytestconfig)


@pytest.fixture(scope="session")
def amqp_url(pytestconfig: pytest.Config) -> str:
    """The URL of a RabbitMQ server that others use too: declare nothing there without `bus_prefix`."""
    return os.environ[AMQP_URL] if _is_worker(pytestconfig) else _rabbitmq(pytestconfig)


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> str:
    """The name of this run's migrated template database."""
    return asyncio.run(make_template(postgres_url, _run(), migrations.upgrade))


@pytest.fixture
async def database(postgres_url: str, database_template: str) -> AsyncIterator[str]:
    """The URL of a migrated database of the test's own; what it leaves there is gone for the next."""
    async with recycled_database(postgres_url, _run(), database_template) as url:
        yield url


@pytest.fixture
def bus_prefix() -> str:
    """What the names of the test's exchanges and queues begin with; they are deleted at the end of the run."""
    return f"{_run()}_{secrets.token_hex(4)}."


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _run() -> Run:
    run = Run.parse(os.environ[_RUN])
    assert run is not None
    return run


def _postgres(config: pytest.Config) -> str:
    url = _enter(config, postgres_server())
    config.stash[_SERVERS].callback(lambda: asyncio.run(drop_databases(url, _run())))
    return url


def _rabbitmq(config: pytest.Config) -> str:
    url = _enter(config, rabbitmq_server())
    config.stash[_SERVERS].callback(lambda: asyncio.run(drop_names(url, _run())))
    return url


def _enter(config: pytest.Config, server: AbstractContextManager[str]) -> str:
    try:
        return config.stash[_SERVERS].enter_context(server)
    except ServiceMissing as missing:
        pytest.exit(str(missing), returncode=2)
