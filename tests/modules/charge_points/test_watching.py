"""For how long one has listened: what decides whether a pod may be called silent."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from modules.charge_points.service import watching
from modules.charge_points.service.watching import Steady


class Clocks:
    """A wall clock and a monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.wall, self.monotonic = 1_000_000.0, 100.0

    def pass_by(self, seconds: float) -> None:
        """Let time pass for both."""
        self.wall += seconds
        self.monotonic += seconds


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    moved = Clocks()
    read = SimpleNamespace(time=lambda: moved.wall, monotonic=lambda: moved.monotonic)
    monkeypatch.setattr(watching, "time", read)
    return moved


def test_listening_lasts_as_long_as_it_is_asked_for_again_and_again(clocks: Clocks) -> None:
    listening = Steady()
    for _ in range(8):
        clocks.pass_by(5)
        lasted = listening.lasted()
    assert lasted == timedelta(seconds=40)


def test_a_process_that_was_frozen_begins_to_listen_anew(clocks: Clocks) -> None:
    listening = Steady()
    clocks.pass_by(5)
    listening.lasted()
    clocks.pass_by(20)
    assert listening.lasted() == timedelta(0)
    clocks.pass_by(5)
    assert listening.lasted() == timedelta(seconds=5)


def test_a_clock_that_was_set_makes_one_begin_anew(clocks: Clocks) -> None:
    listening = Steady()
    clocks.pass_by(5)
    clocks.wall -= 3600
    assert listening.lasted() == timedelta(0)
