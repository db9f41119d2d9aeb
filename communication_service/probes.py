"""Proves the ways of messages: events through every shard to the queues of those who must keep them, and requests."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from communication_service.metrics import UNROUTABLE
from shared_contracts.bus import Bus, BusError, Unroutable, ask
from shared_contracts.transactions import ProveCommit

log = structlog.get_logger()

_ECHO_S = 10.0


@dataclass(slots=True)
class _Shard:
    """What the probes of one shard found. Times are of time.monotonic."""

    under_way: int = 0
    sent_at: float = 0.0
    proven_at: float = 0.0
    missing_since: float | None = None
    failed: bool = False


class Probes:
    """Sends them, and remembers what became of them.

    `keepers` are the consumers without whose queues no station may be answered: an event is confirmed when any queue
    takes it, so each of these is addressed by itself.
    """

    def __init__(self, bus: Bus, keepers: Sequence[str]) -> None:
        self._bus = bus
        self._keepers = tuple(keepers)
        self._shards = [_Shard() for _ in range(bus.limits.shards)]
        self._disconnected_since: float | None = None
        self._echo_silent_since: float | None = None
        self._unanswered_since: float | None = None
        self.answered_at = 0.0
        """When the newest request was sent that was answered."""

    def send(self) -> None:
        """Send one through every shard whose last ones are settled."""
        now = time.monotonic()
        for number, shard in enumerate(self._shards):
            if shard.under_way:
                continue
            sent = [(keeper, self._bus.probe(keeper, number)) for keeper in self._keepers]
            shard.sent_at, shard.failed, shard.under_way = now, False, len(sent)
            for keeper, future in sent:
                future.add_done_callback(partial(self._settle, number, keeper))

    async def echo(self) -> None:
        """Prove the way that replies and commands take."""
        if self._echo_silent_since is None:
            self._echo_silent_since = time.monotonic()
        try:
            await self._bus.echo(timeout=_ECHO_S)
        except BusError as error:
            log.debug("echo_failed", error=repr(error))
        else:
            self._echo_silent_since = None

    async def request(self, *, within_s: float) -> None:
        """Ask the module that stores transactions whether it can."""
        began = time.monotonic()
        if self._unanswered_since is None:
            self._unanswered_since = began
        try:
            await ask(self._bus, ProveCommit(), timeout=within_s)
        except BusError as error:
            log.debug("request_probe_failed", error=repr(error))
        else:
            self._unanswered_since, self.answered_at = None, began

    def unanswered_s(self) -> float:
        """For how long no request was answered although one was sent; one that never was may be unknown there."""
        return _since(self._unanswered_since, time.monotonic()) if self.answered_at else 0.0

    def silent_s(self) -> list[float]:
        """For how long nothing goes through each shard although something waits."""
        now = time.monotonic()
        if self._bus.connected:
            self._disconnected_since = None
        elif self._disconnected_since is None:
            self._disconnected_since = now
        pod_s = max(_since(self._disconnected_since, now), _since(self._echo_silent_since, now))
        return [
            max(pod_s, backlog.stuck_s, _since(shard.missing_since, now))
            for shard, backlog in zip(self._shards, self._bus.backlogs(), strict=True)
        ]

    def proven_at(self, shard: int) -> float:
        """When the newest probe was sent that every keeper's queue has taken."""
        return self._shards[shard].proven_at

    def misses(self, shard: int) -> bool:
        """Whether some keeper's queue was not there at the last look."""
        return self._shards[shard].missing_since is not None

    def _settle(self, number: int, keeper: str, done: asyncio.Future[None]) -> None:
        shard = self._shards[number]
        shard.under_way -= 1
        error = asyncio.CancelledError() if done.cancelled() else done.exception()
        shard.failed |= error is not None
        if isinstance(error, Unroutable):
            self._miss(shard, number, keeper)
        if not shard.under_way and not shard.failed:
            shard.proven_at, shard.missing_since = shard.sent_at, None

    @staticmethod
    def _miss(shard: _Shard, number: int, keeper: str) -> None:
        UNROUTABLE.inc()
        if shard.missing_since is None:
            shard.missing_since = shard.sent_at
            log.error("queue_missing", shard=number, consumer=keeper)


def _since(moment: float | None, now: float) -> float:
    return 0.0 if moment is None else now - moment
