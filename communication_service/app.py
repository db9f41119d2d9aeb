"""The communication service: a pod that holds connections of stations."""

import asyncio
import secrets
import socket as sockets
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress

import structlog
from aiohttp import WSCloseCode, web
from prometheus_client import generate_latest
from pydantic import ValidationError

from communication_service import pings
from communication_service.admission import Admission
from communication_service.arrivals import Reception
from communication_service.entrance import Entrance, Lobby
from communication_service.farewell import one_by_one, unless
from communication_service.flaps import Flaps
from communication_service.guard import Guard
from communication_service.holds import Holds
from communication_service.incidents import Incidents
from communication_service.lookout import Lookout
from communication_service.metrics import LET_GO, LOOP_LAG, REGISTRY
from communication_service.porter import Porter
from communication_service.recorder import Recorder
from communication_service.registry import SUPERSEDED, Registry
from communication_service.server import Door
from communication_service.session import Session
from communication_service.settings import CommunicationSettings
from shared_contracts.bus import Bus, BusError
from shared_contracts.charge_points import StationAccessChanged, StationRegistered
from shared_contracts.loop import LoopWatch
from shared_contracts.message import Envelope
from shared_contracts.metrics import bus_metrics
from shared_contracts.security import IncidentNoticed
from shared_contracts.server_log import ServerLog
from shared_contracts.sites import Site
from shared_contracts.sources import Proxies
from shared_contracts.stations import StationConnected

log = structlog.get_logger()

_CLOSE_S = 6.0  # a station is given five seconds to close its side
_LINGER_S = 1.0  # for what is left of requests when all connections are closed
_CATCH_UP_S = 1.0
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
        self._incidents = Incidents(bus, self.pod_id)
        self._flaps = Flaps(most=settings.flaps_per_minute, hold_s=settings.flap_hold_s)
        self._struck_out = Holds(hold_s=settings.strike_hold_s)
        self.registry = Registry(bus, self.pod_id, self._incidents, self._flaps)
        self._entrance = Entrance(settings, self._incidents)
        self.port = settings.ocpp_port
        self.tls_port = settings.ocpp_tls.port
        self.health_port = settings.health_port
        self._share_bus = share_bus
        self._reuse_port = reuse_port
        self._admission = Admission(bus, ttl_s=settings.access_ttl_s)
        self._recorder = Recorder(bus, self.pod_id, keep_frames=settings.frame_log)
        self._lookout = Lookout(settings, bus, self.registry)
        self._door = Door(settings, bus, self._porter(), self._struck_out, self.registry, self._recorder, self._lookout)
        self._hurry = asyncio.Event()
        self._leaving = False
        self._loop = LoopWatch(LOOP_LAG)
        self._closing = AsyncExitStack()
        self._refreshing: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Read certificates, open the health port, wait for the broker, open the door."""
        self._entrance.load()
        self._run(self._entrance.watch())
        health = web.Application()
        health.add_routes(
            [web.get("/livez", self._live), web.get("/readyz", self._ready), web.get("/metrics", self._metrics)]
        )
        site = Site(await self._runner(health), self.settings.health_host, self.settings.health_port)
        await site.start()
        self.health_port = site.port
        self._run(self._loop.run())
        self.bus.listen(frozenset({StationAccessChanged.key}), self._access_changed)
        self.bus.listen(frozenset({StationRegistered.key}), self._registered)
        self.bus.listen(frozenset({StationConnected.key}), self.registry.hear)
        self.bus.listen(frozenset({IncidentNoticed.key}), self.registry.hear_incident)
        if not self._share_bus:
            self._closing.push_async_callback(self.bus.stop)
            await self.bus.start()
        self._run(self._recorder.run())
        self._run(self._lookout.run())
        self._run(self._catch_up())
        self._run(pings.watch(self.registry, interval_s=self.settings.ping_interval_s))
        await self._open_door()
        log.info("communication_started", port=self.port, pod=self.pod_id)

    def _porter(self) -> Porter:
        settings = self.settings
        reception = Reception(Proxies(settings.trusted_proxies), settings.certificate_header, self._entrance.trust)
        guard = Guard(per_source=settings.failures_per_source, per_station=settings.failures_per_station)
        return Porter(
            self._admission,
            reception,
            guard,
            self._flaps,
            self._struck_out,
            self._incidents,
            hide_unknown=settings.hide_unknown_stations,
        )

    async def _open_door(self) -> None:
        lobby = Lobby(self.settings.half_open_connections)
        door = web.Application()
        door.add_routes([web.get("/ocpp/{station_id}", lobby.passing(self._door.serve))])
        runner = await self._runner(door)
        lobby.server = runner.server
        await self._entrance.open(runner, lobby, reuse_port=self._reuse_port)
        self._closing.push_async_callback(self._drain)
        self.port, self.tls_port = self._entrance.port, self._entrance.tls_port

    def reload(self) -> None:
        """Read certificates again."""
        self._entrance.reload()

    async def stop(self) -> None:
        """Drain, then close in the reverse order of the start."""
        self._leaving = True
        await self._closing.aclose()
        log.info("communication_stopped", pod=self.pod_id)

    def hurry(self) -> None:
        """Told to stop once more: wait for nobody, but close everything in order."""
        self._hurry.set()

    async def _drain(self) -> None:
        """Let nobody in, begin no CALL, finish those under way, and close the connections one by one."""
        await unless(self._hurry, self.settings.prestop_s)
        self._door.draining = True
        log.info("drain_began", connections=len(self.registry))
        for session in self.registry:
            session.begin_nothing()
        LET_GO.labels("drain").inc(len(self.registry))
        await one_by_one(self.registry, self._dismiss, over_s=self.settings.drain_s, hurry=self._hurry)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.registry.emptied.wait(), _CLOSE_S)
        self._recorder.flush()

    async def _dismiss(self, session: Session) -> None:
        if not self._hurry.is_set():
            finishing = asyncio.ensure_future(session.finished(within_s=self.settings.finish_s))
            hurried = asyncio.ensure_future(self._hurry.wait())
            await asyncio.wait((finishing, hurried), return_when=asyncio.FIRST_COMPLETED)
            finishing.cancel()
            hurried.cancel()
        await session.close(WSCloseCode.GOING_AWAY, "the service restarts")

    async def _runner(self, application: web.Application) -> web.AppRunner:
        runner = web.AppRunner(
            application,
            access_log=None,
            logger=ServerLog(),
            handle_signals=False,
            shutdown_timeout=_LINGER_S,
            keepalive_timeout=self.settings.open_timeout_s,
        )
        await runner.setup()
        self._closing.push_async_callback(runner.cleanup)
        return runner

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

    async def _catch_up(self) -> None:
        """What was told while a connection to the broker was lost was not heard: ask anew about every station here."""
        heard_until = self.bus.counters.reconnects
        while True:
            await asyncio.sleep(_CATCH_UP_S)
            if self.bus.counters.reconnects == heard_until or not self.bus.connected:
                continue
            heard_until = self.bus.counters.reconnects
            for session in self.registry:
                await self._refresh(session)

    async def _refresh(self, session: Session) -> None:
        """What is known of a station that is connected has changed, or may have: it counts from now on."""
        for pause_s in _RETRIES_S:
            await asyncio.sleep(pause_s)
            try:
                access = await self._admission.access(session.station_id)
            except (BusError, ValidationError) as error:
                log.warning("registration_not_refreshed", station=session.station_id, error=repr(error))
                continue
            session.standing.registration = access.registration
            if not access.known:
                await session.close(WSCloseCode.POLICY_VIOLATION, "the station was removed")
            elif access.last_epoch > session.epoch:
                await session.close(*SUPERSEDED)
            return

    async def _live(self, _: web.Request) -> web.Response:
        return web.json_response({"live": self._loop.lively}, status=200 if self._loop.lively else 503)

    async def _metrics(self, _: web.Request) -> web.Response:
        body = generate_latest(REGISTRY) + bus_metrics(self.bus)
        return web.Response(body=body, content_type="text/plain", charset="utf-8")

    async def _ready(self, _: web.Request) -> web.Response:
        ready = self._lookout.ready and not self._leaving
        return web.json_response({"ready": ready, "connections": len(self.registry)}, status=200 if ready else 503)
