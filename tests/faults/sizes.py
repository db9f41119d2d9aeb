"""How much a fault test does: what a shared machine bears, or with STRUM_TEST_WHOLE=1 all that its row asks for."""

import os

import pytest

WHOLE = os.environ.get("STRUM_TEST_WHOLE") == "1"

TEN_MINUTES = pytest.param(600, marks=pytest.mark.skipif(not WHOLE, reason="STRUM_TEST_WHOLE=1 runs it"))
"""An outage so long that a run with it takes an hour."""

SOON_S = 10.0
"""What a backlog may take after an outage so short that half of it is no time to start anew."""


def size(usual: int, whole: int) -> int:
    """How many there are."""
    return whole if WHOLE else usual
