"""A connection to the broker that is rebuilt, with everything on it, whenever any part of it is lost."""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

import aio_pika
import aiormq
import structlog
from aiormq.abc import AbstractChannel, AbstractConnection
from aiormq.exceptions import AMQPError, ChannelInvalidStateError
from pamqp.common import FieldTable
from yarl import URL

from shared_contracts.bus import Counters

log = structlog.get_logger(__name__)

HEARTBEAT_S = 10
CONNECT_S = 10.0
BUILD_S = 60.0
CLOSE_S = 2.0
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 2.0
LOG_EVERY_S = 5.0
SETTLED_AFTER_S = 3.0
"""So long after a reconnection others may not be back: that nobody serves a request does not count until then."""

T = TypeVar("T")


class Wire:
    """One life of a connection: when it, a channel or a consumer on it is lost, all of it is."""

    def __init__(self, opened: aio_pika.abc.AbstractConnection) -> None:
        assert opened.transport is not None
        self._opened = opened
        self._connection: AbstractConnection = opened.transport.connection
        connection = self._connection
        self._reason: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        connection.closing.add_done_callback(lambda closing: self.drop(_reason_of(closing)))

    async def channel(self) -> aiormq.Channel:
        """Open a channel with publisher confirms, on which an unroutable message raises."""
        channel = cast(
            "aiormq.Channel",
            await self._connection.channel(publisher_confirms=True, on_return_raises=True),
        )
        channel.closing.add_done_callback(lambda closing: self.drop(_reason_of(closing)))
        channel.on_consumer_cancel_callbacks.add(lambda _: self.drop("the broker cancelled a consumer"))
        return channel

    @property
    def blocked(self) -> bool:
        """Whether the broker holds publishers back (an alarm for memory or disk)."""
        unblocked = self._connection.ready()
        try:
            unblocked.send(None)  # its only state is an event: it returns at once if that is set
        except StopIteration:
            return False
        finally:
            unblocked.close()
        return True

    async def free_or_lost(self) -> None:
        """Wait until the broker does not hold publishers back, or this life ends."""
        freed = asyncio.ensure_future(self._connection.ready())
        await asyncio.wait((freed, self._reason), return_when=asyncio.FIRST_COMPLETED)
        freed.cancel()

    def drop(self, reason: str) -> None:
        """Give this life up."""
        if not self._reason.done():
            self._reason.set_result(reason)

    async def lost(self) -> str:
        """Wait until it is lost; returns why."""
        return await asyncio.shield(self._reason)

    async def close(self) -> None:
        """Close the connection; one that does not answer is left to the operating system."""
        self.drop("closed")
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSE_S):
                await translated(self._opened.close())


class _Connection(aio_pika.Connection):
    """Closed by its wire: aio-pika would close it when it is collected, on a loop that may be gone by then."""

    def __del__(self) -> None:
        """Do nothing."""


class Link:
    """Keeps one connection: `build` puts channels, declarations and consumers on each new one."""

    def __init__(self, url: str, name: str, build: Callable[[Wire], Awaitable[None]], counters: Counters) -> None:
        self._url = str(URL(url).update_query(heartbeat=str(HEARTBEAT_S)))
        self._name = name
        self._build = build
        self._counters = counters
        self._wire: Wire | None = None
        self._up = asyncio.Event()
        self._has_lived = False
        self._unsettled_until = 0.0
        self._keeper: asyncio.Task[None] | None = None

    @property
    def usable(self) -> bool:
        """Whether something published now leaves at once."""
        return self._wire is not None and not self._wire.blocked

    @property
    def settled(self) -> bool:
        """Whether everybody had time to come back after the connection was lost."""
        return time.monotonic() > self._unsettled_until

    async def start(self) -> None:
        """Wait for the broker as long as it takes."""
        self._keeper = asyncio.create_task(self._keep(), name=f"link-{self._name}")
        await self.up()

    async def up(self) -> None:
        """Wait until the connection is there and built upon."""
        await self._up.wait()

    async def free(self) -> None:
        """Wait until what is published would leave: connected, and not held back."""
        await self._up.wait()
        while not self.usable:
            if self._wire is not None:
                await self._wire.free_or_lost()
            await self._up.wait()

    def drop(self, reason: str) -> None:
        """Do not trust this connection any more: make a new one."""
        if self._wire is not None:
            self._wire.drop(reason)

    async def stop(self) -> None:
        """Close for good."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait((self._keeper,))

    async def _keep(self) -> None:
        pause, logged_at = FIRST_PAUSE_S, 0.0
        while True:
            lived, reason = await self._live()
            if lived:
                self._counters.reconnects += 1
                pause, logged_at = FIRST_PAUSE_S, 0.0
            if time.monotonic() - logged_at > LOG_EVERY_S:
                logged_at = time.monotonic()
                log.warning("broker_lost" if lived else "broker_awaited", link=self._name, reason=reason)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  # jitter is no secret
            pause = min(2 * pause, LONGEST_PAUSE_S)

    async def _live(self) -> tuple[bool, str]:
        """One life of the connection; returns whether it began, and why it ended."""
        try:
            async with asyncio.timeout(CONNECT_S):
                properties: FieldTable = {"connection_name": self._name}
                wire = Wire(
                    await translated(
                        aio_pika.connect(self._url, client_properties=properties, connection_class=_Connection)
                    )
                )
        except Exception as error:  # refused, unknown host, wrong password, not a broker: all are waited for
            return False, repr(error)
        try:
            return await self._use(wire)
        finally:
            self._up.clear()
            self._wire = None
            await asyncio.shield(wire.close())

    async def _use(self, wire: Wire) -> tuple[bool, str]:
        try:
            async with asyncio.timeout(BUILD_S):
                await translated(self._build(wire))
        except Exception as error:  # the declarations failed, or the connection was lost again
            return False, repr(error)
        if self._has_lived:
            self._unsettled_until = time.monotonic() + SETTLED_AFTER_S
        self._has_lived = True
        self._wire = wire
        self._up.set()
        log.info("broker_connected", link=self._name)
        return True, await wire.lost()


class ConnectionLost(Exception):
    """What was awaited went down with its connection."""


async def translated(awaitable: Awaitable[T]) -> T:
    """Await something of aiormq's: it raises CancelledError when a connection dies, as if we were cancelled."""
    try:
        return await awaitable
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise ConnectionLost("the connection was lost") from error


async def acknowledge(channel: AbstractChannel, tag: int | None, *, multiple: bool = False) -> None:
    """Acknowledge a delivery, or all up to it. If the channel is gone they come again, known by their ids."""
    with contextlib.suppress(ConnectionLost, AMQPError, ChannelInvalidStateError):
        await translated(channel.basic_ack(tag or 0, multiple=multiple, wait=False))


def _reason_of(closing: asyncio.Future[None]) -> str:
    if closing.cancelled():
        return "closed"
    return repr(closing.exception())
