"""What fault tests share."""

import fcntl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.faults.ground import Ground, ground


@pytest.fixture
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """For a test that keeps every core busy: no other such test runs meanwhile, in whatever process."""
    with (tmp_path_factory.getbasetemp().parent / "busy").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture
async def prepared(tmp_path: Path) -> AsyncIterator[Ground]:
    """A broker and a database of the test's own, proxies before them; no service is running yet."""
    async with ground(tmp_path) as made:
        yield made


@pytest.fixture
async def faulty(prepared: Ground) -> Ground:
    """One management and one communication service on them, the administrator signed in."""
    await prepared.strum.management().start()
    await prepared.strum.communication().start()
    await prepared.strum.sign_in()
    return prepared
