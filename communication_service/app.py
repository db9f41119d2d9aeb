"""The communication service: a pod that holds connections of stations."""

import asyncio
import random
import secrets
import socket as sockets
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, suppress

import structlog
from aiohttp import WSCloseCode, web
from prometheus_client import generate_latest

from communication_service import pings
from communication_service.admission import Admission
from communication_service.metrics import LOOP_LAG, REGISTRY
from communication_service.recorder import Recorder
from communication_service.registry import Registry
from communication_service.server import Door
from communication_service.session import Session
from communication_service.settings import CommunicationSettings
from shared_contracts.bus import Bus, BusError
from shared_contracts.charge_points import StationAccessChanged, StationRegistered
from shared_contracts.loop import LoopWatch
from shared_contracts.message import Envelope
from shared_contracts.stations import StationConnected

log = structlog.get_logger()

_DRAIN_S = 10.0
_FINISH_S = 5.0
_REQUEST_S = 15  # to send a whole request, and between two: a station sends one only
_RETRIES_S = (0.0, 1.0, 5.0, 15.0)


class Communication:
    """`start` returns when stations can connect; `stop` drains: no new ones, the present ones finished and closed."""

    def __init__(
        self,
        settings: CommunicationSettings,
        bus: Bus,
        *,
        pod_id: str | None = None,
        share_bus: bool = False,
        reuse_port: bool = False,
    ) -> None:
        self.settings = settings
        self.bus = bus
        self.pod_id = pod_id or f"{sockets.gethostname()}-{secrets.token_hex(4)}"
        self.registry = Registry(bus, self.pod_id)
        self.port = settings.ocpp_port
        self.health_port = settings.health_port
        self._share_bus = share_bus
        self._reuse_port = reuse_port
        self._admission = Admission(bus, ttl_s=settings.access_ttl_s)
        self._recorder = Recorder(bus, self.pod_id, keep_frames=settings.frame_log)
        self._door = Door(settings, bus, self._admission, self.registry, self._recorder)
        self._loop = LoopWatch(LOOP_LAG)
        self._closing = AsyncExitStack()
        self._refreshing: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Open the health port, wait for the broker, open the door."""
        health = web.Application()
        health.add_routes(
            [web.get("/livez", self._live), web.get("/readyz", self._ready), web.get("/metrics", _metrics)]
        )
        self.health_port = await self._listen(health, self.settings.health_host, self.settings.health_port)
        self._run(self._loop.run())
        self.bus.listen(frozenset({StationAccessChanged.key}), self._access_changed)
        self.bus.listen(frozenset({StationRegistered.key}), self._registered)
        self.bus.listen(frozenset({StationConnected.key}), self.registry.hear)
        if not self._share_bus:
            await self.bus.start()
            self._closing.push_async_callback(self.bus.stop)
        self._run(self._recorder.run())
        self._run(pings.watch(self.registry, interval_s=self.settings.ping_interval_s))
        door = web.Application()
        door.add_routes([web.get("/ocpp/{station_id}", self._door.serve)])
        self.port = await self._listen(
            door,
            self.settings.ocpp_host,
            self.settings.ocpp_port,
            reuse_port=self._reuse_port,
            before_close=self._drain,
        )
        log.info("communication_started", port=self.port, pod=self.pod_id)

    async def stop(self) -> None:
        """Drain, then close in the reverse order of the start."""
        await self._closing.aclose()
        log.info("communication_stopped", pod=self.pod_id)

    async def _drain(self) -> None:
        """Close the connections one by one over a few seconds, so that not all stations come back at once."""
        self._door.draining = True
        sessions = list(self.registry)
        random.shuffle(sessions)
        spread_s = min(_DRAIN_S, len(sessions) / 200)
        closing = [
            asyncio.create_task(_after(spread_s * random.random(), session.finish(within_s=_FINISH_S)))  # noqa: S311 -- jitter
            for session in sessions
        ]
        await asyncio.gather(*closing, return_exceptions=True)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.registry.emptied.wait(), _FINISH_S + 1)
        self._recorder.flush()

    async def _listen(
        self,
        application: web.Application,
        host: str,
        port: int,
        *,
        reuse_port: bool = False,
        before_close: Callable[[], Awaitable[None]] | None = None,
    ) -> int:
        runner = web.AppRunner(
            application, access_log=None, handle_signals=False, shutdown_timeout=_FINISH_S, keepalive_timeout=_REQUEST_S
        )
        await runner.setup()
        self._closing.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, host, port, reuse_port=reuse_port, backlog=4096)
        await site.start()
        if before_close is not None:
            self._closing.push_async_callback(before_close)
        return int(runner.addresses[0][1])

    def _run(self, service: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(service)
        self._closing.callback(task.cancel)

    def _registered(self, envelope: Envelope) -> None:
        self._admission.forget(envelope.read(StationRegistered).station_id)

    def _access_changed(self, envelope: Envelope) -> None:
        station_id = envelope.read(StationAccessChanged).station_id
        self._admission.forget(station_id)
        session = self.registry.get(station_id)
        if session is not None:
            task = asyncio.create_task(self._refresh(session))
            self._refreshing.add(task)
            task.add_done_callback(self._refreshing.discard)

    async def _refresh(self, session: Session) -> None:
        """An operator changed the registration of a station that is connected: it counts from now on."""
        for pause_s in _RETRIES_S:
            await asyncio.sleep(pause_s)
            try:
                access = await self._admission.access(session.station_id)
            except BusError as error:
                log.warning("registration_not_refreshed", station=session.station_id, error=repr(error))
                continue
            session.standing.registration = access.registration
            if not access.known:
                await session.close(WSCloseCode.POLICY_VIOLATION, "the station was removed")
            return

    async def _live(self, _: web.Request) -> web.Response:
        return web.json_response({"live": self._loop.lively}, status=200 if self._loop.lively else 503)

    async def _ready(self, _: web.Request) -> web.Response:
        ready = self.bus.ready and not self._door.draining
        return web.json_response({"ready": ready, "connections": len(self.registry)}, status=200 if ready else 503)


async def _metrics(_: web.Request) -> web.Response:
    return web.Response(body=generate_latest(REGISTRY), content_type="text/plain", charset="utf-8")


async def _after(delay_s: float, action: Awaitable[None]) -> None:
    await asyncio.sleep(delay_s)
    await action
