"""Brings statuses from memory into the status store, and what a crashed process did not bring.

Each process has a watermark: its events up to that position are in the status store. Whoever starts, or finds
a mark that no longer moves, reads the events since then from the event store once more.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Gauge

from modules.diagnostics.domain import EventFilter
from modules.diagnostics.latest import TAKEN, Latest
from modules.diagnostics.repository import events, watermarks
from modules.diagnostics.status_store import StatusStore
from modules.kernel.metrics import REGISTRY
from modules.kernel.work import ModuleContext, Work
from shared_contracts.message import Envelope, new_id

log = structlog.get_logger()

STATUS_LAG = Gauge(
    "strum_status_lag_seconds", "For how long changed statuses could not be brought to their store", registry=REGISTRY
)

_PAGE = 1000
_AT_ONCE = 500
_ALIVE_EVERY_S = 10.0
_GONE_AFTER = timedelta(seconds=60)
_NOW = timedelta(0)


class StatusWriter:
    """Writes about every `interval_s`; while the store is down, what changed stays in memory."""

    def __init__(self, context: ModuleContext, store: StatusStore, *, interval_s: float) -> None:
        self._context = context
        self._store = store
        self._interval_s = interval_s
        self._latest = Latest()
        self._projector = new_id()
        self._has_mark = False
        self._moved_at = 0.0
        self._flushed_at = time.monotonic()

    async def take(self, envelopes: Sequence[Envelope], work: Work) -> None:
        """Note what changed; the first events of this process set its mark in their own transaction."""
        self._latest.take(envelopes)
        if not self._has_mark:
            position = (await events.bounds(work)).settled  # below what this transaction has stored
            await watermarks.begin_watermark(work, self._projector, position)

    async def run(self) -> None:
        """Recover what others left, and write until cancelled."""
        STATUS_LAG.set_function(self._lag_s)
        idle, recover_at = _NOW, time.monotonic()
        while True:
            try:
                await self.flush()
                if time.monotonic() >= recover_at:
                    await self.recover(idle=idle)
                    idle, recover_at = _GONE_AFTER, time.monotonic() + _GONE_AFTER.total_seconds()
            except Exception as error:
                log.warning("statuses_wait", error=repr(error))
                await self._say_alive()
            await asyncio.sleep(self._interval_s)

    async def flush(self) -> None:
        """Write what changed, and move the mark to where events were before it was gathered."""
        async with self._context.work() as work:
            position = (await events.bounds(work)).settled
        if await self._write(self._latest) or time.monotonic() - self._moved_at > _ALIVE_EVERY_S:
            async with self._context.work() as work:
                await watermarks.move_watermark(work, self._projector, position)
            self._has_mark, self._moved_at = True, time.monotonic()
        self._flushed_at = time.monotonic()

    async def recover(self, *, idle: timedelta) -> None:
        """Write what the events say since the marks that have not moved for so long, then forget those."""
        async with self._context.work() as work:
            stale = await watermarks.oldest_watermark(work, idle=idle)
            end = (await events.bounds(work)).given
        if stale is None:
            return
        position, projectors = stale
        count = await self._write_again(position, end)
        async with self._context.work() as work:
            await watermarks.remove_watermarks(work, projectors, idle=_GONE_AFTER)
        log.info("statuses_recovered", events=count)

    async def finish(self) -> None:
        """Write the last, and take the mark away."""
        await self.flush()
        async with self._context.work() as work:
            await watermarks.remove_watermarks(work, (self._projector,), idle=_NOW)
        self._has_mark = False

    async def _write_again(self, after: int, until: int) -> int:
        projected = EventFilter(tuple(sorted(TAKEN)))
        again, count = Latest(), 0
        while True:
            async with self._context.work() as work:
                found = await events.read_events(work, projected, after=after, until=until, limit=_PAGE)
            again.take(event.envelope() for event in found)
            await self._write(again)
            count += len(found)
            if len(found) < _PAGE:
                return count
            after = found[-1].position

    async def _write(self, latest: Latest) -> bool:
        """Remove what is to go, then store what changed; returns whether anything did."""
        changed = await latest.changed()
        removals = latest.removed.due(datetime.now(UTC))
        for removal in removals:
            await self._store.remove(removal.station_id, removal.before)
            latest.removed.done(removal)
        for begin in range(0, len(changed), _AT_ONCE):
            some = changed[begin : begin + _AT_ONCE]
            await self._store.put(some)
            latest.written(some)
        return bool(changed or removals)

    def _lag_s(self) -> float:
        """Since the last time that all was written, beyond the pause between two times."""
        return max(0.0, time.monotonic() - self._flushed_at - self._interval_s)

    async def _say_alive(self) -> None:
        try:
            async with self._context.work() as work:
                await watermarks.touch_watermark(work, self._projector)
        except Exception as error:
            log.warning("watermark_waits", error=repr(error))
