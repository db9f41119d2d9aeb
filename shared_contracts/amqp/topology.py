"""Names and declarations at the broker. Everything declared here is declared again on every connection."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import aiormq
from aiormq.abc import AbstractChannel, DeliveredMessage
from pamqp.common import FieldTable

from shared_contracts import edge
from shared_contracts.batches import Batch
from shared_contracts.bus import PROBE, Subscription
from shared_contracts.message import Envelope, new_id

DELIVERY_LIMIT = 20
"""A batch that its consumer died of this often is dead-lettered (RabbitMQ before 4.0 has no limit of its own)."""

UNUSED_QUEUE_MS = 60_000
"""A request queue without consumers disappears after this, should the broker have restarted in between."""


@dataclass(frozen=True, slots=True)
class Topology:
    """The names under one prefix, for a fixed number of shards."""

    prefix: str
    shards: int

    @property
    def events(self) -> str:
        """The exchange of events: topic."""
        return f"{self.prefix}.events"

    @property
    def requests(self) -> str:
        """The exchange of requests: direct, by routing key of the message."""
        return f"{self.prefix}.requests"

    @property
    def edge(self) -> str:
        """The exchange of what the communication service asks: direct; only the keys that it may ask lead on."""
        return f"{self.prefix}.edge"

    @property
    def answers(self) -> str:
        """The exchange of stations' answers to commands: direct, by the name of the queue that asked.

        Replies of modules go to queues directly, by the default exchange: who may write there may write to any queue.
        """
        return f"{self.prefix}.answers"

    @property
    def stations(self) -> str:
        """The exchange of station commands: direct, by station id."""
        return f"{self.prefix}.stations"

    @property
    def dead(self) -> str:
        """The exchange, and its queue, of what was dead-lettered."""
        return f"{self.prefix}.dead"

    def event_queue(self, consumer: str, shard: int) -> str:
        """The durable queue of one consumer and shard."""
        return f"{self.prefix}.{consumer}.s{shard}"

    def request_queue(self, consumer: str) -> str:
        """The queue that all processes which serve a consumer share."""
        return f"{self.prefix}.requests.{consumer}"

    def own_queue(self, purpose: str, process: str) -> str:
        """A name for a queue that one process alone uses, and that goes with its connection."""
        return f"{self.prefix}.{purpose}.{process}.{new_id()}"

    async def expect(self, channel: AbstractChannel) -> None:
        """Raises where an exchange is missing that the communication service uses: it may not declare any."""
        for exchange in (self.events, self.edge, self.stations, self.answers):
            await channel.exchange_declare(exchange, passive=True)

    async def declare(self, channel: AbstractChannel) -> None:
        """Declare the exchanges, and where dead letters are kept."""
        await channel.exchange_declare(self.events, exchange_type="topic", durable=True)
        await channel.exchange_declare(self.requests, exchange_type="direct", durable=True)
        await channel.exchange_declare(self.edge, exchange_type="direct", durable=True)
        await channel.exchange_declare(self.answers, exchange_type="direct", durable=True)
        await channel.exchange_declare(self.stations, exchange_type="direct", durable=True)
        await channel.exchange_declare(self.dead, exchange_type="fanout", durable=True)
        await channel.queue_declare(self.dead, durable=True, arguments={"x-queue-type": "quorum"})
        await channel.queue_bind(self.dead, self.dead)

    async def declare_event_queue(self, channel: AbstractChannel, subscription: Subscription, shard: int) -> str:
        """Declare and bind a consumer's queue of one shard; keys it no longer asks for stay bound."""
        name = self.event_queue(subscription.consumer, shard)
        await channel.queue_declare(
            name,
            durable=True,
            arguments={
                "x-queue-type": "quorum",
                "x-single-active-consumer": True,
                "x-delivery-limit": DELIVERY_LIMIT,
                "x-dead-letter-exchange": self.dead,
                "x-dead-letter-strategy": "at-least-once",
                "x-overflow": "reject-publish",
            },
        )
        consumer = subscription.consumer
        own = (route_to(consumer, shard), _route_of_probe(consumer, shard))
        for pattern in (*_patterns(f"s{shard}", subscription.keys), *own):
            await channel.queue_bind(name, self.events, pattern)
        return name

    async def declare_request_queue(self, channel: AbstractChannel, consumer: str, keys: Iterable[str]) -> str:
        """Declare and bind the queue of a request server; it goes with its last consumer."""
        name = self.request_queue(consumer)
        arguments: FieldTable = {"x-queue-type": "classic", "x-expires": UNUSED_QUEUE_MS}
        await channel.queue_declare(name, durable=True, auto_delete=True, arguments=arguments)
        for key in keys:
            await channel.queue_bind(name, self.requests, key)
            if key in edge.REQUESTS:
                await channel.queue_bind(name, self.edge, key)
        return name


def route(batch: Batch) -> str:
    """The routing key of a batch: its shard and the distinct keys in it, or the one consumer it is for."""
    if batch.only is not None and batch.keys == {PROBE}:
        return _route_of_probe(batch.only, batch.shard)
    if batch.only is not None:
        return route_to(batch.only, batch.shard)
    return ".".join((f"s{batch.shard}", *sorted(word(key) for key in batch.keys)))


def word(key: str) -> str:
    """A key as one word of a topic: a batch's routing key lists several."""
    return key.replace(".", "-")


def stray(routing_key: str, envelopes: Iterable[Envelope]) -> str | None:
    """A key that is in a body and not in its routing key, if there is one.

    The broker judges by the routing key who may publish what; so the body must hold to it.
    """
    if is_addressed(routing_key):
        return None
    words = routing_key.split(".")
    return next((key for key in {envelope.key for envelope in envelopes} if word(key) not in words), None)


def message_id_of(message: DeliveredMessage) -> str:
    """The id of a body, by which it is known when it comes again; of one that was given none, what is in it."""
    given = message.header.properties.message_id
    if isinstance(given, str) and given and "\0" not in given:
        return given
    return hashlib.sha256(message.body).hexdigest()


def is_addressed(routing_key: str) -> bool:
    """Whether a batch was published for this consumer alone, so that its keys do not matter."""
    return routing_key.startswith("to-")


def is_probe(routing_key: str) -> bool:
    """Whether a body was published to see whether it arrives: whatever is in it is for nobody."""
    return routing_key.startswith("probe-")


def listening_patterns(keys: Iterable[str]) -> tuple[str, ...]:
    """What a listener binds: its keys in any shard."""
    return _patterns("*", frozenset(keys))


async def purge(url: str, prefix: str, *, consumers: Iterable[str] = (), shards: int = 4) -> None:
    """Delete what a prefix made at the broker, for tests: exchanges, dead letters, the consumers' queues."""
    names = Topology(prefix, shards)
    connection = await aiormq.connect(url)
    channel = await connection.channel()
    for exchange in (names.events, names.requests, names.edge, names.answers, names.stations, names.dead):
        await channel.exchange_delete(exchange)
    await channel.queue_delete(names.dead)
    for consumer in consumers:
        await channel.queue_delete(names.request_queue(consumer))
        for shard in range(shards):
            await channel.queue_delete(names.event_queue(consumer, shard))
    await connection.close()


def route_to(consumer: str, shard: int) -> str:
    """The routing key of what is for one consumer alone."""
    return f"to-{consumer}.s{shard}"


def _route_of_probe(consumer: str, shard: int) -> str:
    return f"probe-{consumer}.s{shard}"


def _patterns(first: str, keys: frozenset[str] | None) -> tuple[str, ...]:
    if keys is None:
        return (f"{first}.#",)
    return tuple(f"{first}.#.{word(key)}.#" for key in sorted(keys))
