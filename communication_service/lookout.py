"""Watches the ways to broker and modules, and lets stations go where one is broken: the runner of `outage`."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog
from aiohttp import WSCloseCode

from communication_service.farewell import one_by_one
from communication_service.metrics import LET_GO, PATH_STATE, REQUESTS_STATE, UNCONFIRMED
from communication_service.outage import Path, Patience, State
from communication_service.probes import Probes
from communication_service.registry import Registry
from communication_service.session import Session
from communication_service.settings import CommunicationSettings
from shared_contracts.bus import Bus, shard_of_key

log = structlog.get_logger()

_LOOK_S = 0.25
_PROBE_S = 3.0
_PROBE_IN_TROUBLE_S = 1.0
_EVENTS = {State.OPEN: "path_trusted", State.DOUBTED: "path_doubted", State.OUTAGE: "outage_began"}


class Lookout:
    """Says whether a station may come in, and closes the connections of those whose shard is given up."""

    def __init__(
        self,
        settings: CommunicationSettings,
        bus: Bus,
        registry: Registry,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bus = bus
        self._registry = registry
        self._clock = clock
        self._spread_s = settings.outage_spread_s
        self._probes = Probes(bus, settings.keepers.replace(",", " ").split())
        patience = Patience(settings.doubt_after_s, settings.outage_after_s, settings.proven_for_s)
        self._paths = [Path(patience, clock()) for _ in range(bus.limits.shards)]
        unanswered_s = settings.unanswered_after_s
        self._answer_s = settings.request_timeout_s
        self._requests = Path(Patience(unanswered_s, unanswered_s, settings.proven_for_s), clock())
        self._leaving: set[Session] = set()
        self._farewells: set[asyncio.Task[None]] = set()

    @property
    def ready(self) -> bool:
        """Whether any station may come in."""
        return self._reaches() and any(self._takes(shard) for shard in range(len(self._paths)))

    def admits(self, station_id: str) -> bool:
        """Whether this station may: the way of its shard is trusted, and no queue is known to be missing."""
        return self._reaches() and self._takes(self._shard(station_id))

    async def run(self) -> None:
        """Look, probe, act, for ever."""
        async with asyncio.TaskGroup() as tasks:
            for step in (self._probe, self._echo, self._request, self._watch):
                tasks.create_task(_for_ever(step))

    async def _probe(self) -> None:
        self._probes.send()
        await self._pause()

    async def _echo(self) -> None:
        await self._probes.echo()
        await self._pause()

    async def _request(self) -> None:
        await self._probes.request(within_s=self._answer_s)
        await self._pause()

    async def _pause(self) -> None:
        well = all(path.state is State.OPEN for path in (*self._paths, self._requests))
        await asyncio.sleep(_PROBE_S if well else _PROBE_IN_TROUBLE_S)

    async def _watch(self) -> None:
        await asyncio.sleep(_LOOK_S)
        self._look(self._clock())

    def _look(self, now: float) -> None:
        silent_s = self._probes.silent_s()
        changed: dict[State, list[int]] = {}
        for shard, path in enumerate(self._paths):
            before = path.state
            after = path.see(now, silent_s=silent_s[shard], proven_at=self._probes.proven_at(shard))
            if after is not before:
                changed.setdefault(after, []).append(shard)
        self._tell(changed, silent_s)
        all_go = self._look_at_requests(now) is State.OUTAGE
        self._let_go({shard for shard, path in enumerate(self._paths) if all_go or path.state is State.OUTAGE})

    def _look_at_requests(self, now: float) -> State:
        """Nobody is doubted for a module's silence: it has been restarted, as often as not."""
        before, unanswered_s = self._requests.state, self._probes.unanswered_s()
        after = self._requests.see(now, silent_s=unanswered_s, proven_at=self._probes.answered_at)
        REQUESTS_STATE.set(after)
        if after is not before:
            name = "requests_answered" if after is State.OPEN else "requests_unanswered"
            log.warning(name, silent_s=round(unanswered_s, 1), connections=len(self._registry))
        return after

    def _tell(self, changed: dict[State, list[int]], silent_s: Sequence[float]) -> None:
        for shard, (path, backlog) in enumerate(zip(self._paths, self._bus.backlogs(), strict=True)):
            PATH_STATE.labels(str(shard)).set(path.state)
            UNCONFIRMED.labels(str(shard)).set(backlog.oldest_s)
        for state, shards in changed.items():
            longest_s = round(max(silent_s[shard] for shard in shards), 1)
            log.warning(_EVENTS[state], shards=shards, silent_s=longest_s, connections=len(self._registry))

    def _let_go(self, given_up: set[int]) -> None:
        """Those that came in at the last moment are let go, too."""
        if not given_up:
            return
        going = [
            session
            for session in self._registry
            if session.closed_with is None
            and session not in self._leaving
            and self._shard(session.station_id) in given_up
        ]
        if going:
            self._leaving.update(going)
            LET_GO.labels("outage").inc(len(going))
            task = asyncio.create_task(self._bid_farewell(going))
            self._farewells.add(task)
            task.add_done_callback(self._farewells.discard)

    async def _bid_farewell(self, sessions: list[Session]) -> None:
        await one_by_one(sessions, _send_away, over_s=self._spread_s)
        self._leaving.difference_update(sessions)

    def _reaches(self) -> bool:
        return self._bus.connected and self._requests.state is State.OPEN

    def _takes(self, shard: int) -> bool:
        return self._paths[shard].state is State.OPEN and not self._probes.misses(shard)

    def _shard(self, station_id: str) -> int:
        return shard_of_key(station_id, len(self._paths))


async def _for_ever(step: Callable[[], Awaitable[None]]) -> None:
    """Whatever a step raises, the next is taken: a pod that looked no more would keep its stations in any outage."""
    while True:
        try:
            await step()
        except Exception:
            log.exception("lookout_failed")
            await asyncio.sleep(_LOOK_S)


async def _send_away(session: Session) -> None:
    await session.close(WSCloseCode.TRY_AGAIN_LATER, "try again later")
