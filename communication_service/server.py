"""The door: path, credentials, subprotocol, upgrade. OCPP-J 1.6 §3, 2.0.1 part 4 §3."""

import asyncio
from collections.abc import Mapping

import structlog
from aiohttp import WSCloseCode, web

from communication_service.dialects import DIALECTS, Dialect
from communication_service.handshakes import Handshakes, come_again
from communication_service.holds import Holds
from communication_service.inbound import Inbound
from communication_service.late import LateAnswers
from communication_service.lookout import Lookout
from communication_service.metrics import HANDSHAKES
from communication_service.porter import Admitted, Porter
from communication_service.recorder import Recorder
from communication_service.registry import Registry
from communication_service.session import Session
from communication_service.settings import CommunicationSettings
from communication_service.websocket import StationSocket
from communication_service.zones import zone_of
from shared_contracts.bus import Bus, BusError

log = structlog.get_logger()


class Door:
    """Admits stations, one handler call per connection for as long as it lasts."""

    def __init__(
        self,
        settings: CommunicationSettings,
        bus: Bus,
        porter: Porter,
        struck_out: Holds,
        registry: Registry,
        recorder: Recorder,
        lookout: Lookout,
    ) -> None:
        self._settings = settings
        self._porter = porter
        self._struck_out = struck_out
        self._registry = registry
        self._recorder = recorder
        self._late = LateAnswers(bus)
        self._lookout = lookout
        self._handshakes = Handshakes(settings)
        self.draining = False
        self._inbound: Mapping[str, Inbound] = {
            name: Inbound(bus, dialect, strict=settings.strict_schemas, timeout_s=settings.request_timeout_s)
            for name, dialect in DIALECTS.items()
        }

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Take one upgrade request: 404, 401, 403, 429, 503, or the connection until it ends."""
        station_id = request.match_info["station_id"]
        admitted = await self._judge(request, station_id)
        if isinstance(admitted, web.Response):
            HANDSHAKES.labels(admitted.status).inc()
            return admitted
        settings = self._settings
        socket = StationSocket(
            protocols=tuple(DIALECTS), largest=settings.frame_bytes, per_s=settings.station_messages_per_s
        )
        await socket.prepare(request)
        HANDSHAKES.labels(101).inc()
        dialect = DIALECTS.get(socket.ws_protocol or "")
        if dialect is None:
            await socket.end(WSCloseCode.PROTOCOL_ERROR, "no common subprotocol")
        elif self.draining:
            await socket.end(WSCloseCode.GOING_AWAY, "the service restarts")
        else:
            await self._converse(socket, dialect, station_id, admitted)
        async for _ in socket:
            pass  # what comes after our close frame
        await socket.linger()
        return socket

    async def _judge(self, request: web.Request, station_id: str) -> Admitted | web.Response:
        """Who comes at a bad time is told to come again before anything is asked about it."""
        if self.draining or not self._lookout.admits(station_id):
            return come_again(leaving=self.draining)
        refusal = self._porter.turns_away(request, station_id)
        if refusal is not None:
            return refusal
        with self._handshakes.one(request) as has_room:
            if not has_room:
                return come_again()
            try:
                async with asyncio.timeout(self._settings.open_timeout_s):
                    return await self._porter.judge(request, station_id)
            except TimeoutError:
                return come_again()

    async def _converse(self, socket: StationSocket, dialect: Dialect, station_id: str, admitted: Admitted) -> None:
        session = Session(
            station_id,
            socket,
            dialect,
            self._inbound[dialect.version.subprotocol],
            self._recorder,
            self._late,
            self._struck_out,
            self._settings,
            epoch=self._registry.next_epoch(admitted.last_epoch),
            proof=admitted.proof,
            remote_address=admitted.source,
            zone=zone_of(station_id, admitted.time_zone),
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
