"""Starts services sabotaged, and watches them end."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from tests.e2e.stack import Service
from tests.faults.sabotaged import CRASH_AT, CRASHED, STALL_AT, WITHOUT

_LAUNCHER = "tests.faults.sabotaged"


@contextmanager
def sabotaged(service: Service, *, crash_at: str = "", stall_at: str = "", without: str = "") -> Iterator[Service]:
    """What is started in the block is sabotaged; started again after it, the service is what it was."""
    program, environment = service.program, service.environment
    service.program = _LAUNCHER
    service.environment = {**environment, CRASH_AT: crash_at, STALL_AT: stall_at, WITHOUT: without}
    try:
        yield service
    finally:
        service.program, service.environment = program, environment


def some_time(seed: int, point: str, *, most: int) -> int:
    """At which of the times that a point is reached to crash: decided by the seed, 1 to `most`."""
    return Random(f"{seed}/{point}").randint(1, most)


async def crashed(service: Service, point: str, *, within_s: float = 60.0) -> None:
    """Wait for the end that the sabotage causes; any other end, and none, is an AssertionError."""
    assert service.process is not None
    try:
        async with asyncio.timeout(within_s):
            status = await service.process.wait()
    except TimeoutError:
        raise AssertionError(f"{point} was not reached within {within_s} s") from None
    told = service.log.read_text()
    assert status == CRASHED, (status, told[-4000:])
    assert f"sabotage: crashed at {point}" in told
