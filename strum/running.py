"""Runs services in this process until a signal says stop."""

import asyncio
import gc
import resource
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Protocol, runtime_checkable

import uvloop

from shared_contracts.bus import RequestFailed
from strum.configuration import fail

_GC_THRESHOLDS = (50_000, 20, 50)
"""Messages are short-lived trees without cycles: collecting at Python's default of 700 costs 30 µs a message."""

_MAX_SOCKETS = 1_048_576

_SAME_S = 0.25
"""A second signal so soon is the first once more: systemd sends it to a worker, and its supervisor passes it on."""


class Service(Protocol):
    """What is started and stopped."""

    async def start(self) -> None:
        """Return when it runs."""

    async def stop(self) -> None:
        """Return when it has ended."""


@runtime_checkable
class Patient(Protocol):
    """What takes its time to stop, and may be told not to."""

    def hurry(self) -> None:
        """End in order, but wait for nobody."""


@runtime_checkable
class Reloading(Protocol):
    """What reads files that may change."""

    def reload(self) -> None:
        """Read them again."""


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop: TLS on the stock loop costs six times the memory per connection.

    What a setting asks for and cannot be had (a taken port, an administrator's weak password) is one sentence and 2.
    """
    gc.set_threshold(*_GC_THRESHOLDS)
    allow_sockets()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main)
    except RequestFailed as refused:
        fail(f"the administrator was not made: {refused.detail}")
    except OSError as error:
        fail(f"it cannot start: {error.strerror or error}.")


def allow_sockets() -> None:
    """Let this process open as many sockets as the system lets it: the soft limit is often 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_SOCKETS if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def until_told(*services: Service) -> None:
    """Start the services in order, stop them in the reverse order on SIGTERM or SIGINT; a second one hurries them.

    On SIGHUP they read their certificates again.
    """
    again, hangup = partial(hurry, services), partial(reload, services)
    async with until_signal(again=again, hangup=hangup) as stopped, AsyncExitStack() as stack:
        for service in services:
            stack.push_async_callback(service.stop)  # half started is stopped too
            if not await unless(stopped, service.start()):
                return
        settle()
        await stopped.wait()


def hurry(services: Iterable[Service]) -> None:
    """Tell those that take their time to stop to wait for nobody."""
    for service in services:
        if isinstance(service, Patient):
            service.hurry()


def reload(services: Iterable[Service]) -> None:
    """Have those that read files read them again."""
    for service in services:
        if isinstance(service, Reloading):
            service.reload()


def settle() -> None:
    """Once started: what lives now lives for ever, so the collector need not look at it again."""
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def until_signal(
    again: Callable[[], None] = lambda: None, hangup: Callable[[], None] = lambda: None
) -> AsyncIterator[asyncio.Event]:
    """An event that is set by SIGTERM or SIGINT; `again` is called by those that follow, `hangup` by SIGHUP.

    Afterwards these signals are ignored: what comes late, as a supervisor's, must not cut off the last lines logged.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    told_at = 0.0

    def told() -> None:
        nonlocal told_at
        if not stopped.is_set():
            told_at = loop.time()
            stopped.set()
        elif loop.time() > told_at + _SAME_S:
            again()

    handlers = {signal.SIGTERM: told, signal.SIGINT: told, signal.SIGHUP: hangup}
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield stopped
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)


async def unless(stopped: asyncio.Event, starting: Awaitable[None]) -> bool:
    """Wait for a start that may take for ever; a signal ends the wait. Returns whether it started."""
    start, stop = asyncio.ensure_future(starting), asyncio.ensure_future(stopped.wait())
    await asyncio.wait((start, stop), return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if not start.done():
        start.cancel()
        await asyncio.gather(start, return_exceptions=True)
        return False
    await start
    return True
