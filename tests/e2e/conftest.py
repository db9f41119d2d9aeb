"""What end-to-end tests share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.stack import Stack, stack, started


@pytest.fixture
async def strum(database: str, amqp_url: str, bus_prefix: str, tmp_path: Path) -> AsyncIterator[Stack]:
    """Both services running, the administrator signed in."""
    async with started(database, amqp_url, bus_prefix, tmp_path) as running:
        yield running


@pytest.fixture
async def prepared(database: str, amqp_url: str, bus_prefix: str, tmp_path: Path) -> AsyncIterator[Stack]:
    """Nothing running yet."""
    async with stack(database, amqp_url, bus_prefix, tmp_path) as running:
        yield running
