"""Stations that are held off, by a clock that the test turns."""

from communication_service.holds import Holds
from tests.communication_service.test_guard import Clock


def test_a_station_is_held_off_for_its_time_and_no_other_is() -> None:
    clock = Clock()
    holds = Holds(hold_s=60, clock=clock)
    holds.begin("CS1")

    assert (holds.left_s("CS1"), holds.left_s("CS2")) == (60, 0)
    clock.now += 59
    assert holds.left_s("CS1") == 1
    clock.now += 1
    assert (holds.left_s("CS1"), len(holds)) == (0, 0)


def test_another_reason_counts_from_then_on() -> None:
    clock = Clock()
    holds = Holds(hold_s=60, clock=clock)
    holds.begin("CS1")
    clock.now += 30
    holds.begin("CS1")

    assert holds.left_s("CS1") == 60


def test_of_too_many_the_first_one_comes_in_again() -> None:
    holds = Holds(hold_s=60, clock=Clock())
    for number in range(10_001):
        holds.begin(f"X{number}")

    assert (len(holds), holds.left_s("X0"), holds.left_s("X1")) == (10_000, 0, 60)
