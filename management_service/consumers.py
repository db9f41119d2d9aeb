"""Runs a module's event handlers: a batch in one transaction, and message by message where the data is bad."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from sqlalchemy import text

from management_service.failures import is_infrastructure
from management_service.hosted import Hosted
from modules.kernel.module import EnvelopeHandler, EventHandler
from modules.kernel.work import Work
from shared_contracts.bus import Delivery, Subscription
from shared_contracts.logs import traced
from shared_contracts.message import Envelope, Event

log = structlog.get_logger()

Step = Callable[[Work], Awaitable[None]]


class Consumer:
    """Takes the deliveries of one module. Each delivery is processed once: its id is stored with its effects."""

    def __init__(self, hosted: Hosted) -> None:
        self._hosted = hosted
        self.name = hosted.module.name
        schema = hosted.module.schema
        handlers = hosted.module.handlers
        self._by_key = {h.event.key: h for h in handlers if isinstance(h, EventHandler)}
        self._all = [h for h in handlers if isinstance(h, EnvelopeHandler)]
        self._remember = text(
            f'INSERT INTO "{schema}".inbox (delivery_id) SELECT unnest(CAST(:ids AS text[])) '
            "ON CONFLICT DO NOTHING RETURNING delivery_id"
        )
        self._quarantine = text(
            f'INSERT INTO "{schema}".quarantine (key, station_id, body, reason) '
            "VALUES (:key, :station_id, :body, :reason)"
        )
        self.paused = False

    def subscription(self) -> Subscription | None:
        """What to ask the bus for, or None for a module that listens to nothing."""
        if not self._by_key and not self._all:
            return None
        keys = None if self._all else frozenset(self._by_key)
        return Subscription(self.name, keys, self.take, self.set_poison_aside)

    async def take(self, shard: int, deliveries: tuple[Delivery, ...]) -> None:
        """Process deliveries; infrastructure trouble pauses here, costing no delivery attempt."""
        pause_s = 0.2
        while True:
            try:
                await self._process(deliveries)
                self.paused = False
                return
            except Exception as error:
                if not is_infrastructure(error):
                    raise
                self.paused = True
                log.warning("consumer_waits", module=self.name, shard=shard, error=repr(error), pause_s=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, 5.0)

    async def set_poison_aside(self, body: bytes, reason: str) -> None:
        """Keep a body that is no batch of envelopes, for an operator to look at."""
        log.error("poison_message", module=self.name, reason=reason, size=len(body))
        async with self._hosted.work() as work:
            await self._set_aside(work, body, reason)

    async def _process(self, deliveries: tuple[Delivery, ...]) -> None:
        try:
            async with self._hosted.work() as work:
                for step in self._steps(await self._fresh(deliveries, work)):
                    await step(work)
        except Exception as error:
            if is_infrastructure(error):
                raise
            log.warning("batch_replayed", module=self.name, error=repr(error))
            await self._process_one_by_one(deliveries)

    async def _fresh(self, deliveries: tuple[Delivery, ...], work: Work) -> list[Envelope]:
        ids = [delivery.id for delivery in deliveries]
        fresh = {row[0] for row in await work.execute(self._remember, {"ids": ids})}
        taken: list[Envelope] = []
        for delivery in deliveries:
            if delivery.id in fresh:
                fresh.discard(delivery.id)
                taken.extend(delivery.envelopes)
        return taken

    def _steps(self, envelopes: Sequence[Envelope]) -> list[Step]:
        steps: list[Step] = [_bind(handler.many, envelopes) for handler in self._all if envelopes]
        gathered: dict[str, list[Event]] = {}
        for envelope in envelopes:
            handler = self._by_key.get(envelope.key)
            if handler is None:
                continue
            event = envelope.read(handler.event)
            if handler.many is None:
                steps.append(_one(handler, event, envelope))
            elif envelope.key in gathered:
                gathered[envelope.key].append(event)
            else:
                gathered[envelope.key] = [event]
                steps.append(_bind(handler.many, gathered[envelope.key]))
        return steps

    async def _process_one_by_one(self, deliveries: tuple[Delivery, ...]) -> None:
        async with self._hosted.work() as work:
            for envelope in await self._fresh(deliveries, work):
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
                    log.exception("message_quarantined", module=self.name, key=envelope.key, id=envelope.id)
                    await self._set_aside(work, envelope.payload, repr(error), envelope)
                else:
                    await savepoint.commit()

    async def _set_aside(self, work: Work, body: bytes, reason: str, envelope: Envelope | None = None) -> None:
        row = {"body": body, "reason": reason.replace("\0", "")[:2000]}
        about = {"key": envelope and envelope.key, "station_id": envelope and envelope.station_id}
        await work.execute(self._quarantine, row | about)


def _bind(function: Callable[[Sequence[Any], Work], Awaitable[None]], items: Sequence[Any]) -> Step:
    return lambda work: function(items, work)


def _one(handler: EventHandler, event: Event, envelope: Envelope) -> Step:
    function = handler.one
    assert function is not None

    async def step(work: Work) -> None:
        work.cause, work.trace = envelope.id, envelope.trace
        with traced(envelope.trace, station=envelope.station_id):
            await function(event, work)

    return step
