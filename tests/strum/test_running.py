"""What every process of ours has in common."""

import resource
from collections.abc import Iterator

import pytest

from strum.running import allow_sockets


@pytest.fixture
def limits() -> Iterator[tuple[int, int]]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_process_may_open_as_many_sockets_as_the_system_lets_it(limits: tuple[int, int]) -> None:
    _, hard = limits
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    allow_sockets()
    soft, still = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft > 512
    assert soft == (1_048_576 if hard == resource.RLIM_INFINITY else hard)
    assert still == hard
