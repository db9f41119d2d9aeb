"""The door: path, credentials, subprotocol, upgrade. OCPP-J 1.6 §3, 2.0.1 part 4 §3."""

from collections.abc import Mapping

import structlog
from aiohttp import WSCloseCode, web

from communication_service.admission import Admission, basic_credentials, proves
from communication_service.dialects import DIALECTS, Dialect
from communication_service.inbound import Inbound
from communication_service.metrics import HANDSHAKES
from communication_service.recorder import Recorder
from communication_service.registry import Registry
from communication_service.session import Session
from communication_service.settings import CommunicationSettings
from communication_service.websocket import StationSocket
from shared_contracts.bus import Bus, BusError
from shared_contracts.charge_points import StationAccess

log = structlog.get_logger()

_LONGEST_STATION_ID = 48
_RETRY_AFTER = {"Retry-After": "15"}


class Door:
    """Admits stations, one handler call per connection for as long as it lasts."""

    def __init__(
        self, settings: CommunicationSettings, bus: Bus, admission: Admission, registry: Registry, recorder: Recorder
    ) -> None:
        self._settings = settings
        self._bus = bus
        self._admission = admission
        self._registry = registry
        self._recorder = recorder
        self.draining = False
        self._inbound: Mapping[str, Inbound] = {
            name: Inbound(bus, dialect, strict=settings.strict_schemas, timeout_s=settings.request_timeout_s)
            for name, dialect in DIALECTS.items()
        }

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Take one upgrade request: 404, 401, 503, or the connection until it ends."""
        station_id = request.match_info["station_id"]
        access = await self._refuse_or_access(request, station_id)
        if isinstance(access, web.Response):
            HANDSHAKES.labels(access.status).inc()
            return access
        socket = StationSocket(protocols=tuple(DIALECTS), largest=self._settings.frame_bytes)
        await socket.prepare(request)
        HANDSHAKES.labels(101).inc()
        dialect = DIALECTS.get(socket.ws_protocol or "")
        if dialect is None:
            await socket.end(WSCloseCode.PROTOCOL_ERROR, "no common subprotocol")
        elif self.draining:
            await socket.end(WSCloseCode.GOING_AWAY, "the service restarts")
        else:
            await self._converse(request, socket, dialect, station_id, access)
        async for _ in socket:
            pass  # what comes after our close frame
        await socket.linger()
        return socket

    async def _refuse_or_access(self, request: web.Request, station_id: str) -> StationAccess | web.Response:
        if not 1 <= len(station_id) <= _LONGEST_STATION_ID or not station_id.isprintable():
            return web.Response(status=404)
        if self.draining or not self._bus.ready:
            return web.Response(status=503, headers=_RETRY_AFTER)
        try:
            access = await self._admission.access(station_id)
        except BusError as error:
            log.warning("admission_unavailable", station=station_id, error=repr(error))
            return web.Response(status=503, headers=_RETRY_AFTER)
        credentials = basic_credentials(request.headers.get("Authorization"))
        proven = proves(access, station_id, credentials)
        if not access.known:
            return web.Response(status=404)
        if access.security_profile > 0 and not proven:
            log.warning("station_refused", station=station_id, credentials=credentials is not None)
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="OCPP"'})
        return access

    async def _converse(
        self,
        request: web.Request,
        socket: StationSocket,
        dialect: Dialect,
        station_id: str,
        access: StationAccess,
    ) -> None:
        session = Session(
            station_id,
            socket,
            dialect,
            self._inbound[dialect.version.subprotocol],
            self._recorder,
            self._settings,
            epoch=self._registry.next_epoch(),
            access=access,
            remote_address=request.remote,
        )
        try:
            await self._registry.admit(session)
            await session.run()
        except BusError as error:
            log.warning("station_not_bound", station=station_id, error=repr(error))
            await session.close(WSCloseCode.TRY_AGAIN_LATER, "try again later")
        finally:
            await self._registry.dismiss(session)
            await session.settle()
