"""Runs a module's event handlers: a batch in one transaction, and message by message where the data is bad."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy import text

from management_service.failures import is_infrastructure
from management_service.hosted import Hosted
from management_service.metrics import BATCHES, CONSUMER_STALLED, QUARANTINED
from management_service.quarantine.store import QuarantineStore
from management_service.shards import Shard
from modules.kernel.module import EnvelopeHandler, EventHandler
from modules.kernel.work import Origin, Work
from shared_contracts.bus import Delivery, Subscription
from shared_contracts.logs import traced
from shared_contracts.message import Envelope, Event

log = structlog.get_logger()

STALLED_AFTER_S = 20.0
_LONGEST_PAUSE_S = 2.0

Step = Callable[[Work], Awaitable[None]]


class StoodStill(Exception):
    """The handler of a message did not return in time, more than once."""


class Consumer:
    """Takes the deliveries of one module. Each delivery is processed once: its id is stored with its effects.

    A batch that takes longer than `stalled_after_s` is cancelled, rolled back, and tried again in order, message by
    message: then each may take so long.
    """

    def __init__(self, hosted: Hosted, *, stalled_after_s: float = STALLED_AFTER_S) -> None:
        self._hosted = hosted
        self._stalled_after_s = stalled_after_s
        self.name = hosted.module.name
        self.store = QuarantineStore(hosted.module.tables)
        self.shards: defaultdict[int, Shard] = defaultdict(Shard)
        handlers = hosted.module.handlers
        self._by_key = {h.event.key: h for h in handlers if isinstance(h, EventHandler)}
        self._all = [h for h in handlers if isinstance(h, EnvelopeHandler)]
        self._remember = text(
            f'INSERT INTO "{hosted.module.schema}".inbox (delivery_id) SELECT unnest(CAST(:ids AS text[])) '
            "ON CONFLICT DO NOTHING RETURNING delivery_id"
        )

    @property
    def paused(self) -> bool:
        """Whether some shard waits for the database or the bus."""
        return any(shard.paused for shard in self.shards.values())

    def subscription(self) -> Subscription | None:
        """What to ask the bus for, or None for a module that listens to nothing."""
        if not self._by_key and not self._all:
            return None
        keys = None if self._all else frozenset(self._by_key)
        return Subscription(self.name, keys, self.take, self.set_poison_aside)

    async def take(self, shard: int, deliveries: tuple[Delivery, ...]) -> None:
        """Process deliveries; infrastructure trouble pauses here, costing no delivery attempt."""
        state, pause_s = self.shards[shard], 0.2
        with state.working_on(deliveries):
            while True:
                try:
                    async with state.limit(self._stalled_after_s) as limit:
                        await self._process(deliveries, state)
                    BATCHES.labels(self.name).inc()
                    return
                except Exception as error:
                    if limit.expired():
                        self._note_stall(shard, state)
                    elif not is_infrastructure(error):
                        raise
                    else:
                        log.warning("consumer_waits", module=self.name, shard=shard, error=repr(error), pause_s=pause_s)
                        state.paused = True
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _note_stall(self, shard: int, state: Shard) -> None:
        state.stand_still()
        CONSUMER_STALLED.labels(self.name).inc()
        log.error("consumer_stalled", module=self.name, shard=shard, after_s=self._stalled_after_s, at=state.handling)

    async def set_poison_aside(self, body: bytes, reason: str) -> None:
        """Keep a body that is no batch of envelopes, for an operator to look at."""
        log.error("poison_message", module=self.name, reason=reason, size=len(body))
        async with self._hosted.work() as work:
            await self._set_aside(work, body, reason)

    def contract_of(self, key: str) -> type[Event] | None:
        """The contract of a key; None where the module takes it unread. KeyError if it does not take it."""
        if self._all and key not in self._by_key:
            return None
        return self._by_key[key].event

    async def handle_one(self, work: Work, envelope: Envelope) -> str | None:
        """Handle a message in a savepoint; why it failed, or None. Infrastructure trouble is raised."""
        published = len(work.outgoing)
        savepoint = await (await work.connection()).begin_nested()
        try:
            for step in self._steps([envelope]):
                await step(work)
        except Exception as error:
            if is_infrastructure(error):
                raise
            del work.outgoing[published:]
            await savepoint.rollback()
            log.exception("message_failed", module=self.name, key=envelope.key, id=envelope.id)
            return repr(error)
        await savepoint.commit()
        return None

    async def handle_each(self, work: Work, envelopes: Sequence[Envelope], state: Shard | None = None) -> None:
        """Handle messages, each in a savepoint; what fails, and what `state` stands still at, is set aside."""
        for envelope in envelopes:
            if state is not None and state.stands_still_at(envelope.id):
                failure: str | None = repr(StoodStill(f"not handled within {self._stalled_after_s:g} s"))
            else:
                if state is not None:
                    state.begin(envelope.id)
                failure = await self.handle_one(work, envelope)
            if failure is not None:
                await self._set_aside(work, envelope.payload, failure, envelope)

    async def _process(self, deliveries: tuple[Delivery, ...], state: Shard) -> None:
        if state.careful:
            await self._process_one_by_one(deliveries, state)
            return
        try:
            async with self._hosted.work() as work:
                for step in self._steps(await self._fresh(deliveries, work)):
                    await step(work)
        except Exception as error:
            if is_infrastructure(error):
                raise
            log.warning("batch_replayed", module=self.name, error=repr(error))
            await self._process_one_by_one(deliveries, state)

    async def _process_one_by_one(self, deliveries: tuple[Delivery, ...], state: Shard) -> None:
        async with self._hosted.work() as work:
            await self.handle_each(work, await self._fresh(deliveries, work), state)

    async def _fresh(self, deliveries: tuple[Delivery, ...], work: Work) -> list[Envelope]:
        ids = [delivery.id for delivery in deliveries if delivery.envelopes]  # a probe only asks for the database
        fresh = {row[0] for row in await work.execute(self._remember, {"ids": ids})}
        taken: list[Envelope] = []
        for delivery in deliveries:
            if delivery.id in fresh:
                fresh.discard(delivery.id)
                taken.extend(delivery.envelopes)
        return taken

    def _steps(self, envelopes: Sequence[Envelope]) -> list[Step]:
        steps: list[Step] = [_many(handler.many, envelopes, {}) for handler in self._all if envelopes]
        gathered: dict[str, tuple[list[Any], dict[str | None, Origin]]] = {}
        for envelope in envelopes:
            handler = self._by_key.get(envelope.key)
            if handler is None:
                continue
            event = handler.read(envelope.payload)
            if handler.many is None:
                steps.append(_one(handler, event, envelope))
                continue
            if envelope.key not in gathered:
                gathered[envelope.key] = [], {}
                steps.append(_many(handler.many, *gathered[envelope.key]))
            events, origins = gathered[envelope.key]
            events.append(event)
            origins[envelope.station_id] = envelope.id, envelope.trace
        return steps

    async def _set_aside(self, work: Work, body: bytes, reason: str, envelope: Envelope | None = None) -> None:
        QUARANTINED.labels(self.name).inc()
        log.error("message_quarantined", module=self.name, key=envelope and envelope.key, id=envelope and envelope.id)
        await self.store.set_aside(work, body, reason, envelope)


def _many(
    function: Callable[[Sequence[Any], Work], Awaitable[None]],
    items: Sequence[Any],
    origins: Mapping[str | None, Origin],
) -> Step:
    async def step(work: Work) -> None:
        work.cause = work.trace = None
        work.origins = origins
        await function(items, work)
        work.origins = {}

    return step


def _one(handler: EventHandler, event: Event, envelope: Envelope) -> Step:
    function = handler.one
    assert function is not None

    async def step(work: Work) -> None:
        work.cause, work.trace = envelope.id, envelope.trace
        with traced(envelope.trace, station=envelope.station_id):
            await function(event, work)

    return step
