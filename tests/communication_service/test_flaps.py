"""Connections that push each other out, counted with a clock that the test turns."""

from communication_service.flaps import Flaps
from tests.communication_service.test_guard import Clock


def test_one_too_many_within_a_minute_holds_new_ones_off() -> None:
    clock = Clock()
    flaps = Flaps(most=3, hold_s=60, clock=clock)

    assert [flaps.note("CS1") for _ in range(4)] == [False, False, False, True]
    assert flaps.held_s("CS1") == 60
    assert flaps.held_s("CS2") == 0
    clock.now += 59
    assert flaps.held_s("CS1") == 1
    clock.now += 1
    assert flaps.held_s("CS1") == 0
    assert not flaps.note("CS1")


def test_the_same_over_a_longer_time_does_not() -> None:
    clock = Clock()
    flaps = Flaps(most=3, hold_s=60, clock=clock)
    for _ in range(20):
        assert not flaps.note("CS1")
        clock.now += 21


def test_the_end_of_the_connection_that_stayed_lets_the_next_in() -> None:
    flaps = Flaps(most=1, hold_s=60, clock=Clock())
    flaps.note("CS1")
    flaps.note("CS1")
    flaps.release("CS1")

    assert flaps.held_s("CS1") == 0


def test_memory_is_bounded() -> None:
    flaps = Flaps(most=1, hold_s=60, clock=Clock())
    for number in range(12_000):
        flaps.note(f"X{number}")
        flaps.note(f"X{number}")

    assert (len(flaps._times), len(flaps._holds)) == (10_000, 10_000)
