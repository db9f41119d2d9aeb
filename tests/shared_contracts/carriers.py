"""What the tests of the bus share: envelopes to send, and a consumer that remembers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson

from shared_contracts.bus import Bus, Delivery, Subscription
from shared_contracts.message import Envelope, new_id

METERS = "stations.meters_sampled.v1"
STATUS = "stations.status_reported.v1"
ASK = "tests.ask.v1"


def event(number: int = 0, *, station: str = "CP-1", key: str = METERS, padding: int = 0) -> Envelope:
    """An event of a station that carries a number."""
    payload = orjson.dumps({"number": number, "padding": "x" * padding})
    return Envelope(new_id(), key, station, datetime.now(UTC), payload)


def number_of(envelope: Envelope) -> int:
    """The number that `event` put in."""
    return int(orjson.loads(envelope.payload).get("number", -1))


async def eventually(condition: Callable[[], object], *, within_s: float = 10.0) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(within_s):
        while not condition():  # what is waited for is no event of ours
            await asyncio.sleep(0.005)


@dataclass
class Recorder:
    """A consumer that remembers what it took, and may be told to fail, or to wait, first."""

    before: Callable[[], Awaitable[None]] | None = None
    deliveries: list[Delivery] = field(default_factory=list)
    poison: list[tuple[bytes, str]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    _shards: list[int] = field(default_factory=list)

    async def on_batch(self, shard: int, deliveries: tuple[Delivery, ...]) -> None:
        assert shard not in self._shards, "a shard has one call at a time"
        self._shards.append(shard)
        try:
            if self.before is not None:
                await self.before()
            self.deliveries.extend(deliveries)
        finally:
            self._shards.remove(shard)

    async def on_poison(self, body: bytes, reason: str) -> None:
        self.poison.append((body, reason))

    def subscribe(self, bus: Bus, consumer: str = "recorder", *keys: str) -> "Recorder":
        """Subscribe to some keys, or to all."""
        bus.subscribe(Subscription(consumer, frozenset(keys) or None, self.on_batch, self.on_poison))
        return self

    @property
    def envelopes(self) -> list[Envelope]:
        """All envelopes in the order they were taken."""
        return [envelope for delivery in self.deliveries for envelope in delivery.envelopes]

    def numbers(self, station: str | None = None) -> list[int]:
        """The numbers in the order they were taken."""
        return [number_of(item) for item in self.envelopes if station in {None, item.station_id}]

    def distinct(self) -> list[int]:
        """The numbers without the deliveries whose id was seen before: what an inbox lets pass."""
        by_id = {delivery.id: delivery for delivery in reversed(self.deliveries)}
        firsts = dict.fromkeys(delivery.id for delivery in self.deliveries)
        return [number_of(item) for key in firsts for item in by_id[key].envelopes]
