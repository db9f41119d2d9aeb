"""OCPP-J 2.0.1 §5.3."""

from itertools import islice, pairwise
from random import Random

from simulator.backoff import waits


def test_a_wait_doubles_as_often_as_allowed_and_then_stays() -> None:
    series = waits(Random(1), minimum=3, random_range=0, repeats=3)

    assert list(islice(series, 6)) == [3, 6, 12, 24, 24, 24]


def test_each_wait_has_a_new_random_part_and_a_seed_repeats_them() -> None:
    first = list(islice(waits(Random(1), minimum=3, random_range=10, repeats=3), 4))
    again = list(islice(waits(Random(1), minimum=3, random_range=10, repeats=3), 4))

    assert first == again
    assert 3 <= first[0] <= 13
    assert all(0 <= later - 2 * earlier <= 10 for earlier, later in pairwise(first))
    assert len({later - 2 * earlier for earlier, later in pairwise(first)}) == 3
