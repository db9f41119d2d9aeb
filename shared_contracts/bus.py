"""The bus port: what every carrier of messages promises, and the errors it may answer with.

Events are durable and reach each consumer at least once, in order per station. Requests and station commands
are answered or fail within the caller's timeout. `memory` and `amqp` implement it; one contract suite runs
against both.
"""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from shared_contracts.message import Envelope, R, Request


class BusError(Exception):
    """Base of what the bus may answer with."""


class BusUnavailable(BusError):
    """The message is not known to be durable: no broker, no confirm in time, or nobody keeps such events."""


class Unroutable(BusUnavailable):
    """No consumer keeps events of this kind. Trying again will not help until one has been started once."""


class BusFull(BusUnavailable):
    """Too much waits to be confirmed already; take in less."""


class StationOffline(BusError):
    """No pod holds a connection of this station."""


class NoHandler(BusError):
    """No running process serves this request."""


class RequestTimedOut(BusError):
    """No reply in time: whether it was carried out is unknown."""


class RequestFailed(BusError):
    """The handler refused with a stable code, or failed (`internal`)."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Delivery:
    """One body as published: its id stays the same when it is delivered again."""

    id: str
    envelopes: tuple[Envelope, ...]


OnBatch = Callable[[int, tuple[Delivery, ...]], Awaitable[None]]
"""Takes a shard's next deliveries; returning acknowledges all of them. It must not raise because of data.

Where it raises all the same, the bus waits a moment and delivers the same again, in order. It must not await
what it publishes: in one process, an event is durable when its consumers have returned.
"""

OnPoison = Callable[[bytes, str], Awaitable[None]]
"""Takes a body that is not a batch of envelopes, and why; returning acknowledges it."""

OnRequest = Callable[[Envelope], Awaitable[bytes | Awaitable[bytes]]]
"""Answers a request with the reply's JSON; may raise RequestFailed, and for a station's command StationOffline.

Only so many requests are handled at a time. Where a reply is waited for, as for a station's, the handler returns it
as an awaitable: others may begin meanwhile.
"""

OnEvent = Callable[[Envelope], None]


@dataclass(frozen=True, slots=True)
class Subscription:
    """A durable consumer of events: `keys` None means every event."""

    consumer: str
    keys: frozenset[str] | None
    on_batch: OnBatch
    on_poison: OnPoison


PROBE = "bus.probe.v1"
"""The key of what is published to see whether it arrives; consumers ignore it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the bus. Bytes are of payloads.

    Under load the batches of a shard are `pace_s` apart; when there is little to do none waits.
    """

    shards: int = 4
    batch_envelopes: int = 200
    batch_bytes: int = 512 * 1024
    waiting_envelopes: int = 20_000
    waiting_bytes: int = 64 * 1024 * 1024
    pace_s: float = 0.025
    take_envelopes: int = 500
    publish_timeout_s: float = 5.0
    prefetch_bodies: int = 32
    concurrent_requests: int = 64


@dataclass(slots=True)
class Counters:
    """What the carrier counted since it started, for the metrics. Counts are of envelopes."""

    published: int = 0
    bodies_published: int = 0
    failed: int = 0
    unroutable: int = 0
    retried_bodies: int = 0
    received: int = 0
    bodies_received: int = 0
    poisoned: int = 0
    dead_letters: int = 0
    late_replies: int = 0
    reconnects: int = 0
    waiting_envelopes: int = 0
    waiting_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Backlog:
    """What one shard's events wait for, in seconds; zeros where none waits.

    Under load the oldest waits while others are confirmed; only where the way is broken nothing is confirmed at all.
    """

    oldest_s: float = 0.0
    """The age of the oldest event that is not confirmed."""
    stuck_s: float = 0.0
    """For how long nothing was confirmed although something waits."""


class Bus(Protocol):
    """Carries messages. Subscribe, serve and listen before `start`; attach and detach at any time."""

    limits: Limits
    counters: Counters

    @property
    def ready(self) -> bool:
        """Whether an event published now can be expected to become durable."""
        ...

    @property
    def connected(self) -> bool:
        """Whether the carrier takes messages now, and can deliver: no alarm holds publishers back."""
        ...

    def backlogs(self) -> tuple[Backlog, ...]:
        """What waits to be confirmed, shard by shard."""
        ...

    def probe(self, consumer: str, shard: int) -> asyncio.Future[None]:
        """Send nothing to a consumer's queue of a shard, on the way that events take; errors as of `publish`.

        An event is confirmed when any queue took it: this tells whether the one queue is there and takes.
        """
        ...

    async def echo(self, *, timeout: float) -> None:
        """Send this process a message on the way that replies take, and wait until it is here.

        Raises RequestTimedOut or BusUnavailable.
        """
        ...

    async def start(self) -> None:
        """Connect and begin to deliver; waits for the broker, logging each try, until it is there."""
        ...

    async def stop(self) -> None:
        """Stop taking deliveries, flush what waits to be published (bounded in time), close."""
        ...

    def subscribe(self, subscription: Subscription) -> None:
        """Consume events durably; the consumer keeps receiving what was published while it was away."""
        ...

    def serve(self, consumer: str, handlers: Mapping[str, OnRequest]) -> None:
        """Answer requests with these keys; processes that serve the same consumer share the work."""
        ...

    def listen(self, keys: frozenset[str], on_event: OnEvent) -> None:
        """Hear events as they pass, while running: every process hears them, nothing is kept."""
        ...

    def publish(self, envelope: Envelope, *, only: str | None = None, perishable: bool = False) -> asyncio.Future[None]:
        """Hand over an event; the future is done when it is durable, or fails with BusUnavailable.

        `only` addresses one consumer (replays). Not awaited here, so that callers batch by themselves. Giving
        up on the future does not take the event back, unless it is `perishable`, for callers who hand it over again:
        then what did not leave by then never does. Raises ValueError for what cannot be delivered intact.
        """
        ...

    async def request(self, envelope: Envelope, *, timeout: float) -> bytes:
        """Send a request to the consumer that serves its key; returns the reply's JSON.

        Raises NoHandler, RequestTimedOut, RequestFailed, BusUnavailable.
        """
        ...

    async def command(self, envelope: Envelope, *, timeout: float) -> bytes:
        """Send a request to the pod that holds `envelope.station_id`. StationOffline at once if none."""
        ...

    async def attach(self, station_id: str, handler: OnRequest) -> None:
        """Receive this station's commands here; replaces an earlier handler of this process."""
        ...

    async def detach(self, station_id: str, handler: OnRequest) -> None:
        """Stop receiving, if `handler` still is the one attached."""
        ...


def shard_of(envelope: Envelope, shards: int) -> int:
    """The shard that keeps this station's order: stable across processes and releases."""
    return shard_of_key(envelope.station_id or envelope.id, shards)


def shard_of_key(key: str, shards: int) -> int:
    """The shard of a station's id; of an event that concerns no station, its own id."""
    return zlib.crc32(key.encode()) % shards


async def ask(
    bus: Bus, message: Request[R], *, timeout: float, cause: str | None = None, trace: str | None = None
) -> R:
    """Request and decode. `timeout` in seconds; errors as of `Bus.request`."""
    reply = await bus.request(Envelope.of(message, cause=cause, trace=trace), timeout=timeout)
    return message.reply_type().model_validate_json(reply)


async def tell(
    bus: Bus, message: Request[R], *, timeout: float, cause: str | None = None, trace: str | None = None
) -> R:
    """Command a station and decode its answer. `timeout` in seconds; errors as of `Bus.command`."""
    reply = await bus.command(Envelope.of(message, cause=cause, trace=trace), timeout=timeout)
    return message.reply_type().model_validate_json(reply)
