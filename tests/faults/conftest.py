"""What fault tests share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.ground import Ground, ground


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
