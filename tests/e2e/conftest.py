"""What end-to-end tests share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from modules import catalogue
from shared_contracts.amqp import purge
from tests.e2e.stack import SHARDS, Stack, stack, started


@pytest.fixture
async def prefix(amqp_url: str, bus_prefix: str) -> AsyncIterator[str]:
    """Begins the names at the broker; its queues are deleted after the test, since a broker has only so many files."""
    yield bus_prefix
    await purge(amqp_url, bus_prefix, consumers=catalogue.NAMES, shards=SHARDS)


@pytest.fixture
async def strum(database: str, amqp_url: str, prefix: str, tmp_path: Path) -> AsyncIterator[Stack]:
    """Both services running, the administrator signed in."""
    async with started(database, amqp_url, prefix, tmp_path) as running:
        yield running


@pytest.fixture
async def prepared(database: str, amqp_url: str, prefix: str, tmp_path: Path) -> AsyncIterator[Stack]:
    """Nothing running yet."""
    async with stack(database, amqp_url, prefix, tmp_path) as running:
        yield running
