"""The bus within one process: `strum up`, and tests. Nothing is stored here, so *durable* means *handled*.

A published batch is confirmed when every consumer that keeps any of its events has returned from `on_batch`;
a process that is killed has therefore confirmed nothing that its consumers did not commit.
"""

import asyncio
import contextlib
from collections.abc import Mapping

import structlog

from shared_contracts.batches import Batch
from shared_contracts.bus import (
    PROBE,
    Backlog,
    BusUnavailable,
    Counters,
    Delivery,
    Limits,
    NoHandler,
    OnEvent,
    OnRequest,
    RequestFailed,
    RequestTimedOut,
    StationOffline,
    Subscription,
    Unroutable,
)
from shared_contracts.message import Envelope
from shared_contracts.publisher import Publisher

log = structlog.get_logger(__name__)


class MemoryBus:
    """Implements `Bus` by calling; limits, batching, retries and errors are those of the broker."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.counters = Counters()
        self._publisher = Publisher(self._carry, self.limits, self.counters)
        self._subscriptions: dict[str, Subscription] = {}
        self._handlers: dict[str, tuple[OnRequest, asyncio.Semaphore]] = {}
        self._listeners: list[tuple[frozenset[str], OnEvent]] = []
        self._stations: dict[str, OnRequest] = {}
        self._answering: set[asyncio.Task[bytes]] = set()
        self._started = asyncio.Event()

    @property
    def ready(self) -> bool:
        """Started, and the consumers keep up."""
        return self._started.is_set() and not self._publisher.stalled

    @property
    def connected(self) -> bool:
        """Whether it was started: there is nothing between us and the consumers."""
        return self._started.is_set()

    def backlogs(self) -> tuple[Backlog, ...]:
        """What the consumers have not handled yet, shard by shard."""
        return self._publisher.backlogs()

    def probe(self, consumer: str, shard: int) -> asyncio.Future[None]:
        """Nothing, to one consumer; the future is done when it arrived."""
        return self._publisher.probe(consumer, shard)

    async def echo(self, *, timeout: float) -> None:  # noqa: ARG002 -- it takes no time
        """Return: a call is a reply's only way."""
        if not self._started.is_set():
            raise BusUnavailable("the bus is not started")

    async def start(self) -> None:
        """Begin to deliver."""
        self._started.set()

    async def stop(self) -> None:
        """Flush the events, then give up the requests that are still being answered."""
        await self._publisher.stop()
        self._started.clear()
        for task in tuple(self._answering):
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    def subscribe(self, subscription: Subscription) -> None:
        """Consume events; a consumer subscribes once."""
        if subscription.consumer in self._subscriptions:
            raise ValueError(f"{subscription.consumer} subscribed already")
        self._subscriptions[subscription.consumer] = subscription

    def serve(self, consumer: str, handlers: Mapping[str, OnRequest]) -> None:
        """Answer requests, at most `concurrent_requests` at a time."""
        taken = self._handlers.keys() & handlers.keys()
        if taken:
            raise ValueError(f"{consumer}: {', '.join(sorted(taken))} already has a handler")
        places = asyncio.Semaphore(self.limits.concurrent_requests)
        self._handlers.update({key: (handler, places) for key, handler in handlers.items()})

    def listen(self, keys: frozenset[str], on_event: OnEvent) -> None:
        """Hear events when they are first delivered."""
        self._listeners.append((keys, on_event))

    def publish(self, envelope: Envelope, *, only: str | None = None, perishable: bool = False) -> asyncio.Future[None]:
        """Hand over an event; the future is done when all its consumers have handled it."""
        return self._publisher.publish(envelope, only, perishable=perishable)

    async def request(self, envelope: Envelope, *, timeout: float) -> bytes:
        """Call the handler of the key, for at most `timeout` seconds."""
        if envelope.key not in self._handlers:
            raise NoHandler(envelope.key)
        handler, places = self._handlers[envelope.key]
        return await self._answer(handler, places, envelope, timeout)

    async def command(self, envelope: Envelope, *, timeout: float) -> bytes:
        """Call the handler attached for the station, for at most `timeout` seconds."""
        handler = self._stations.get(envelope.station_id or "")
        if handler is None:
            raise StationOffline(envelope.station_id)
        return await self._answer(handler, None, envelope, timeout)

    async def attach(self, station_id: str, handler: OnRequest) -> None:
        """Receive this station's commands; the newest handler wins."""
        self._stations[station_id] = handler

    async def detach(self, station_id: str, handler: OnRequest) -> None:
        """Stop receiving, if `handler` still is the one attached."""
        if self._stations.get(station_id) == handler:
            del self._stations[station_id]

    async def _carry(self, batch: Batch) -> None:
        """Take one batch to all its consumers; returns when each has handled it."""
        await self._started.wait()
        if batch.given_up:
            raise BusUnavailable("given up before the bus was started")
        consumers = [item for item in self._subscriptions.values() if _wants(item, batch)]
        if not consumers:
            raise Unroutable(f"nobody keeps {batch.only or ', '.join(sorted(batch.keys))}")
        if batch.only is None:
            self._tell_listeners(batch)
        await asyncio.gather(*(self._hand_over(item, batch) for item in consumers))

    async def _hand_over(self, subscription: Subscription, batch: Batch) -> None:
        keys = None if batch.only else subscription.keys
        wanted = (item for item in batch.envelopes if keys is None or item.key in keys)
        envelopes = tuple(item for item in wanted if item.key != PROBE)
        pause = 0.05
        while True:
            self.counters.received += len(envelopes)
            self.counters.bodies_received += 1
            try:
                return await subscription.on_batch(batch.shard, (Delivery(batch.id, envelopes),))
            except Exception:
                log.exception("batch_not_taken", consumer=subscription.consumer, shard=batch.shard)
            await asyncio.sleep(pause)
            pause = min(2 * pause, 2.0)

    def _tell_listeners(self, batch: Batch) -> None:
        for envelope in batch.envelopes:
            for keys, on_event in self._listeners:
                if envelope.key in keys:
                    try:
                        on_event(envelope)
                    except Exception:
                        log.exception("listener_failed", key=envelope.key)

    async def _answer(
        self, handler: OnRequest, places: asyncio.Semaphore | None, envelope: Envelope, timeout: float
    ) -> bytes:
        """Run the handler in a task of its own: a caller that gives up does not stop it."""
        if not self._started.is_set():
            raise BusUnavailable("the bus is not started")
        task = asyncio.create_task(_handle(handler, places, envelope))
        self._answering.add(task)
        task.add_done_callback(self._forget)
        done, _ = await asyncio.wait((task,), timeout=timeout)
        if not done:
            raise RequestTimedOut(f"{envelope.key} took longer than {timeout:g} s")
        if task.cancelled():
            raise BusUnavailable("the bus was stopped")
        return task.result()

    def _forget(self, task: asyncio.Task[bytes]) -> None:
        self._answering.discard(task)
        if not task.cancelled():
            task.exception()  # a caller that gave up does not collect it


def _wants(subscription: Subscription, batch: Batch) -> bool:
    if batch.only is not None:
        return subscription.consumer == batch.only
    return subscription.keys is None or not subscription.keys.isdisjoint(batch.keys)


async def _handle(handler: OnRequest, places: asyncio.Semaphore | None, envelope: Envelope) -> bytes:
    try:
        async with places or contextlib.nullcontext():
            reply = await handler(envelope)
        return reply if isinstance(reply, bytes) else await reply
    except (RequestFailed, StationOffline):
        raise
    except Exception as error:
        log.exception("request_failed", key=envelope.key, id=envelope.id)
        raise RequestFailed("internal", type(error).__name__) from error
