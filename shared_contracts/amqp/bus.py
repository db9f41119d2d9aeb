"""`Bus` over RabbitMQ: two connections, one to publish and one to consume, and the parts that use them."""

import asyncio
import logging
from collections.abc import Mapping

from pamqp.commands import Basic

from shared_contracts.amqp.consumer import Consumer
from shared_contracts.amqp.dead_letters import DeadLetters
from shared_contracts.amqp.link import Link, Wire
from shared_contracts.amqp.listener import Listener
from shared_contracts.amqp.post import NotSent, Post
from shared_contracts.amqp.replies import Replies
from shared_contracts.amqp.requests import Requests
from shared_contracts.amqp.server import Server
from shared_contracts.amqp.stations import Stations
from shared_contracts.amqp.topology import Topology, route
from shared_contracts.batches import Batch
from shared_contracts.bus import Backlog, Counters, Limits, OnEvent, OnRequest, RequestTimedOut, Subscription
from shared_contracts.message import Envelope
from shared_contracts.publisher import Publisher


class AmqpBus:
    """Implements `Bus`. `prefix` separates systems at one broker; `name` tells processes apart in its lists.

    At the edge it does with the rights of the communication service: see `shared_contracts.amqp.rights`.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "strum",
        limits: Limits | None = None,
        name: str = "strum",
        at_edge: bool = False,
    ) -> None:
        self.limits = limits or Limits()
        self.counters = Counters()
        self._topology = Topology(prefix, self.limits.shards)
        self._at_edge = at_edge
        self._out = Link(url, f"{name}-out", self._build_out, self.counters)
        self._in = Link(url, f"{name}-in", self._build_in, self.counters)
        self._events = Post(self._out, self.limits.publish_timeout_s)
        self._calls = Post(self._out, self.limits.publish_timeout_s)
        self._publisher = Publisher(self._carry, self.limits, self.counters)
        self._requests = Requests(
            self._calls,
            self._in,
            topology=self._topology,
            name=name,
            limits=self.limits,
            counters=self.counters,
            at_edge=at_edge,
        )
        self._replies = Replies(self._calls, self._topology, self.limits)
        self._stations = Stations(self._replies, self._topology, name)
        self._dead_letters = DeadLetters(self._calls, self._topology, self.counters)
        self._listener = Listener(self._topology, name)
        self._servers: list[Server] = []
        self._consumers: list[Consumer] = []

    @property
    def ready(self) -> bool:
        """Connected, not held back by the broker, and confirmed lately."""
        return self.connected and not self._publisher.stalled

    @property
    def connected(self) -> bool:
        """Both connections are there, and the broker holds nobody back."""
        return self._out.usable and self._in.usable

    def backlogs(self) -> tuple[Backlog, ...]:
        """What waits to be confirmed, shard by shard."""
        return self._publisher.backlogs()

    def probe(self, consumer: str, shard: int) -> asyncio.Future[None]:
        """Nothing, to one consumer; the future is done when it arrived."""
        return self._publisher.probe(consumer, shard)

    async def echo(self, *, timeout: float) -> None:
        """A reply to ourselves: out on one connection, in on the other, which is given up if it does not come."""
        try:
            await self._requests.echo(timeout)
        except RequestTimedOut:
            if self._out.usable:
                self._in.drop("an echo did not come back")
            raise

    async def start(self) -> None:
        """Connect; waits for the broker as long as it takes, logging every few seconds."""
        logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # it logs each failed try; the link logs them itself
        await self._in.start()  # first, so that what is published finds the queues of this process
        await self._out.start()

    async def stop(self) -> None:
        """Take nothing more, finish what is at hand, flush, close; each step bounded in time."""
        for server in self._servers:
            server.stop()
        await asyncio.gather(self._replies.stop(), *(consumer.stop() for consumer in self._consumers))
        await self._publisher.stop()
        await self._requests.stop()
        await self._stations.stop()
        await self._in.stop()
        await self._out.stop()

    def subscribe(self, subscription: Subscription) -> None:
        """Consume events durably: one queue per shard."""
        self._consumers += [
            Consumer(subscription, shard, self._topology, self.limits, self.counters)
            for shard in range(self.limits.shards)
        ]

    def serve(self, consumer: str, handlers: Mapping[str, OnRequest]) -> None:
        """Answer requests, at most `concurrent_requests` at a time."""
        self._servers.append(
            Server(
                consumer,
                handlers,
                replies=self._replies,
                topology=self._topology,
                limits=self.limits,
                counters=self.counters,
            )
        )

    def listen(self, keys: frozenset[str], on_event: OnEvent) -> None:
        """Hear events as they pass."""
        self._listener.add(keys, on_event)

    def publish(self, envelope: Envelope, *, only: str | None = None, perishable: bool = False) -> asyncio.Future[None]:
        """Hand over an event; the future is done when a quorum of the broker has written it."""
        return self._publisher.publish(envelope, only, perishable=perishable)

    async def request(self, envelope: Envelope, *, timeout: float) -> bytes:
        """Ask the consumer that serves the key."""
        return await self._requests.request(envelope, timeout)

    async def command(self, envelope: Envelope, *, timeout: float) -> bytes:
        """Ask the pod that holds the station."""
        return await self._requests.command(envelope, timeout)

    async def attach(self, station_id: str, handler: OnRequest) -> None:
        """Receive this station's commands here; the newest handler of this process wins."""
        await self._stations.attach(station_id, handler)

    async def detach(self, station_id: str, handler: OnRequest) -> None:
        """Stop receiving, if `handler` still is the one attached."""
        self._stations.detach(station_id, handler)

    async def _build_out(self, wire: Wire) -> None:
        self._events.channel = await wire.channel()
        self._calls.channel = await wire.channel()

    async def _build_in(self, wire: Wire) -> None:
        """The durable queues first, so that no event passes that only listeners hear."""
        channel = await wire.channel()
        await (self._topology.expect(channel) if self._at_edge else self._topology.declare(channel))
        for consumer in self._consumers:
            await consumer.open(wire)
        if self._consumers:
            await self._dead_letters.open(wire)
        for server in self._servers:
            await server.open(wire)
        await self._requests.open(wire)
        await self._stations.open(wire)
        await self._listener.open(wire)

    async def _carry(self, batch: Batch) -> None:
        await self._events.free()
        if batch.given_up:
            raise NotSent("given up while the broker was away")
        properties = Basic.Properties(message_id=batch.id, delivery_mode=2)
        await self._events.publish(batch.body, self._topology.events, route(batch), properties, mandatory=True)
