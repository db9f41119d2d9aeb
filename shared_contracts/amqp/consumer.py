"""A durable consumer's deliveries of one shard: taken by the batch, acknowledged by the batch, never reordered."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
from aiormq.abc import AbstractChannel, DeliveredMessage

from shared_contracts.amqp.dead_letters import MARK
from shared_contracts.amqp.link import Wire, acknowledge
from shared_contracts.amqp.topology import Topology, is_addressed, is_probe, message_id_of, stray
from shared_contracts.bus import Counters, Delivery, Limits, Subscription
from shared_contracts.message import Envelope, MalformedBody, unpack

log = structlog.get_logger(__name__)

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0


class Arrivals:
    """What one channel delivered and nobody took yet; the broker delivers it again should the channel die."""

    def __init__(self, channel: AbstractChannel, some: asyncio.Event) -> None:
        self.channel = channel
        self.bodies: deque[DeliveredMessage] = deque()
        self._some = some

    async def receive(self, message: DeliveredMessage) -> None:
        """Note a delivery: the channel's callback."""
        self.bodies.append(message)
        self._some.set()


class Consumer:
    """Feeds one subscription from one shard's queue, one call at a time, over any number of connections."""

    def __init__(
        self, subscription: Subscription, shard: int, topology: Topology, limits: Limits, counters: Counters
    ) -> None:
        self._subscription = subscription
        self._shard = shard
        self._topology = topology
        self._limits = limits
        self._counters = counters
        self._arrivals: Arrivals | None = None
        self._some = asyncio.Event()
        self._stopping = False
        self._worker: asyncio.Task[None] | None = None

    async def open(self, wire: Wire) -> None:
        """Declare the queue and consume it on a new connection."""
        channel = await wire.channel()
        queue = await self._topology.declare_event_queue(channel, self._subscription, self._shard)
        await channel.basic_qos(prefetch_count=self._limits.prefetch_bodies)
        self._arrivals = Arrivals(channel, self._some)
        await channel.basic_consume(queue, self._arrivals.receive)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work(), name=f"consume-{queue}")

    async def stop(self) -> None:
        """Take nothing more, and wait for the batch at hand, but not for ever; the rest is delivered again."""
        self._stopping = True
        self._some.set()
        if self._worker is not None:
            await asyncio.wait((self._worker,), timeout=self._limits.publish_timeout_s)
            self._worker.cancel()
            await asyncio.wait((self._worker,))

    async def _work(self) -> None:
        while not self._stopping:
            await self._some.wait()
            self._some.clear()
            arrivals = self._arrivals
            while arrivals is not None and arrivals.bodies and arrivals is self._arrivals:
                if self._stopping:
                    return
                await self._take(arrivals)

    async def _take(self, arrivals: Arrivals) -> None:
        """Take what has arrived, up to `take_envelopes`, and acknowledge it in one frame once it is handled."""
        deliveries: list[Delivery] = []
        count, tag = 0, 0
        while arrivals.bodies and count < self._limits.take_envelopes:
            message = arrivals.bodies.popleft()
            tag = message.delivery_tag or tag
            envelopes = await self._read(message, arrivals.channel)
            if envelopes:
                deliveries.append(Delivery(message_id_of(message), envelopes))
                count += len(envelopes)
        self._counters.received += count
        self._counters.bodies_received += len(deliveries)
        if deliveries:
            handle = partial(self._subscription.on_batch, self._shard, tuple(deliveries))
            await self._insist(handle, arrivals.channel)
        await acknowledge(arrivals.channel, tag, multiple=True)

    async def _read(self, message: DeliveredMessage, channel: AbstractChannel) -> tuple[Envelope, ...]:
        if is_probe(message.routing_key or ""):
            return ()
        if given_up := (message.header.properties.headers or {}).get(MARK):
            await self._insist(partial(self._subscription.on_poison, message.body, str(given_up)), channel)
            return ()
        try:
            envelopes = unpack(message.body)
        except MalformedBody as error:
            self._counters.poisoned += 1
            await self._insist(partial(self._subscription.on_poison, message.body, str(error)), channel)
            return ()
        if key := stray(message.routing_key or "", envelopes):
            self._counters.poisoned += 1
            reason = f"it holds {key}, which its routing key does not say"
            await self._insist(partial(self._subscription.on_poison, message.body, reason), channel)
            return ()
        keys = self._subscription.keys
        if keys is None or is_addressed(message.routing_key or ""):
            return tuple(envelopes)
        return tuple(item for item in envelopes if item.key in keys)

    async def _insist(self, handle: Callable[[], Awaitable[None]], channel: AbstractChannel) -> None:
        """Call until it returns: no delivery attempt is spent, and order is kept. A dead channel ends it."""
        pause = FIRST_PAUSE_S
        while not channel.is_closed:
            try:
                return await handle()
            except Exception:
                log.exception("batch_not_taken", consumer=self._subscription.consumer, shard=self._shard)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)
        return None
