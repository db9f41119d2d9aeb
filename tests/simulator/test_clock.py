from datetime import timedelta

from simulator.clock import Clock
from tests.simulator.conftest import START


async def test_hours_pass_in_moments_and_never_too_early() -> None:
    clock = Clock(speed=360_000, start=START)
    first = clock.now()
    await clock.sleep_until(START + timedelta(hours=5))

    assert timedelta(0) <= first - START < timedelta(hours=1)
    assert timedelta(hours=5) <= clock.now() - START < timedelta(hours=48)


async def test_the_link_has_a_pace_of_its_own() -> None:
    clock = Clock(speed=1, link_speed=100)

    assert clock.real(30) == 0.3
