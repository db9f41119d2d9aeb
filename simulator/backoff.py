"""How long a station waits before it dials again."""

from collections.abc import Iterator
from random import Random


def waits(rng: Random, *, minimum: float, random_range: float, repeats: int) -> Iterator[float]:
    """Yield waits in seconds: the minimum, doubled at most `repeats` times, each with a new random part.

    OCPP-J 2.0.1 §5.3 (RetryBackOffWaitMinimum, RetryBackOffRandomRange, RetryBackOffRepeatTimes): the
    previous wait is doubled, its random part included; 1.6 leaves the choice to the station.
    """
    wait = minimum + rng.uniform(0, random_range)
    for _ in range(repeats):
        yield wait
        wait = wait * 2 + rng.uniform(0, random_range)
    while True:
        yield wait
