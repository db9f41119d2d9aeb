"""What every process of ours has in common."""

import asyncio
import os
import resource
import signal
from collections.abc import Iterator

import pytest

from strum.running import allow_sockets, until_signal, until_told


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


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


async def test_a_signal_that_comes_twice_at_once_hurries_nobody_and_a_later_one_does() -> None:
    """A worker gets it from systemd, and again from its supervisor."""
    hurried: list[float] = []
    now = asyncio.get_running_loop().time
    async with until_signal(again=lambda: hurried.append(now())) as stopped:
        os.kill(os.getpid(), signal.SIGTERM)
        await stopped.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        told_at = now()
        while not hurried:
            await asyncio.sleep(0.02)
            os.kill(os.getpid(), signal.SIGTERM)
        assert hurried[0] - told_at > 0.2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_signal_that_comes_when_all_is_over_does_nothing(number: signal.Signals) -> None:
    """The last lines of the log are still being written then."""
    async with until_signal() as stopped:
        os.kill(os.getpid(), signal.SIGTERM)
        await stopped.wait()
    os.kill(os.getpid(), number)
    assert signal.getsignal(number) is signal.SIG_IGN


class Slow:
    """A service that stops only in a hurry."""

    def __init__(self) -> None:
        self.hurried, self.stopping = asyncio.Event(), asyncio.Event()

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        self.stopping.set()
        await self.hurried.wait()

    def hurry(self) -> None:
        self.hurried.set()


async def test_a_service_that_takes_its_time_to_stop_is_hurried_by_a_second_signal() -> None:
    service = Slow()
    running = asyncio.create_task(until_told(service))
    await asyncio.sleep(0)
    os.kill(os.getpid(), signal.SIGTERM)
    await service.stopping.wait()
    assert not running.done()
    while not service.hurried.is_set():
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.02)
    await asyncio.wait_for(running, 5)
