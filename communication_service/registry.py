"""Which stations this pod holds. The newest authenticated connection of a station is the living one."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

import structlog
from aiohttp import WSCloseCode

from communication_service.flaps import Flaps
from communication_service.incidents import Incidents
from communication_service.metrics import CONNECTIONS
from communication_service.session import Session
from shared_contracts.bus import Bus, BusError, BusFull, Unroutable
from shared_contracts.message import Envelope
from shared_contracts.security import IncidentKind, IncidentNoticed
from shared_contracts.sparse import Sparse
from shared_contracts.stations import StationConnected, StationDisconnected

log = structlog.get_logger()

_ANSWER_S = 2.0
"""How long a connection that gives way to a newer one has to show that it is alive."""

_TELL_AGAIN_S = 5.0

SUPERSEDED = (WSCloseCode.POLICY_VIOLATION, "a newer connection of the station was opened")
"""How a connection is closed that is not its station's newest."""


class Registry:
    """The sessions of the pod, their bindings on the bus, and the events that tell of them."""

    def __init__(self, bus: Bus, pod_id: str, incidents: Incidents, flaps: Flaps) -> None:
        self._bus = bus
        self._pod_id = pod_id
        self._incidents = incidents
        self._flaps = flaps
        self._living: dict[str, Session] = {}
        self._all: set[Session] = set()
        self._last_epoch = 0
        self._closing: set[asyncio.Task[None]] = set()
        self._sparse = Sparse()
        self.emptied = asyncio.Event()
        self.emptied.set()

    def __iter__(self) -> Iterator[Session]:
        return iter(tuple(self._all))

    def __len__(self) -> int:
        return len(self._living)

    def get(self, station_id: str) -> Session | None:
        """The living session of a station, if this pod holds it."""
        return self._living.get(station_id)

    def next_epoch(self, after: int = 0) -> int:
        """Greater than that of every connection of the station so far, which are known to be up to `after`.

        It is the time in nanoseconds where the clocks of all pods are right, and counts on where one was set back.
        """
        self._last_epoch = max(time.time_ns(), self._last_epoch + 1, after + 1)
        return self._last_epoch

    async def admit(self, session: Session) -> None:
        """Make this the living connection: an older one is closed, commands come here, the system is told.

        Raises BusError if commands cannot reach it.
        """
        older = self._living.get(session.station_id)
        self._living[session.station_id] = session
        self._all.add(session)
        self.emptied.clear()
        CONNECTIONS.labels(session.dialect.version).inc()
        if older is not None:
            self._supersede(older, session.remote_address)
        await self._bus.attach(session.station_id, session.execute)
        session.announced = True
        self._announce(session)
        log.info("station_connected", station=session.station_id, version=session.dialect.version, epoch=session.epoch)

    def _announce(self, session: Session) -> None:
        event = StationConnected(
            station_id=session.station_id,
            epoch=session.epoch,
            pod_id=self._pod_id,
            ocpp_version=session.dialect.version,
            security_profile=session.proof.security_profile,
            remote_address=session.remote_address,
            connected_at=session.connected_at,
            password_name=session.proof.password_name,
            access_revision=session.proof.access_revision,
        )
        self._tell(Envelope.of(event))

    async def dismiss(self, session: Session) -> None:
        """The session ended: removes only what is its own, a newer session stays untouched."""
        CONNECTIONS.labels(session.dialect.version).dec()
        self._all.discard(session)
        if self._living.get(session.station_id) is session:
            del self._living[session.station_id]
            self._flaps.release(session.station_id)
        if not self._all:
            self.emptied.set()
        await self._bus.detach(session.station_id, session.execute)
        if not session.announced:
            return
        code, reason = session.closed_with or (session.socket.close_code, "")
        event = StationDisconnected(
            station_id=session.station_id,
            epoch=session.epoch,
            pod_id=self._pod_id,
            close_code=code,
            reason=reason,
            disconnected_at=datetime.now(UTC),
        )
        self._tell(Envelope.of(event))
        log.info("station_disconnected", station=session.station_id, epoch=session.epoch, code=code)

    def hear(self, envelope: Envelope) -> None:
        """A pod admitted a station that we hold. If its connection is newer, ours is a leftover; if ours is, the other
        pod may not know, since it was told of ours before it had one: it is told again."""
        told = envelope.read(StationConnected)
        self._last_epoch = max(self._last_epoch, told.epoch)
        mine = self._living.get(told.station_id)
        if mine is None or not mine.announced or told.pod_id == self._pod_id:
            return
        if mine.epoch < told.epoch:
            del self._living[told.station_id]
            self._supersede(mine, told.remote_address)
        elif mine.epoch > told.epoch:
            self._announce(mine)

    def hear_incident(self, envelope: Envelope) -> None:
        """Another pod saw two devices that push each other out: they may come here next."""
        told = envelope.read(IncidentNoticed)
        if told.kind is IncidentKind.DUPLICATE_CONNECTION and told.station_id and told.pod_id != self._pod_id:
            self._count_flap(told.station_id)

    def _supersede(self, session: Session, newer_source: str | None) -> None:
        task = asyncio.create_task(self._give_way(session, newer_source))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _give_way(self, session: Session, newer_source: str | None) -> None:
        """From here on nothing is taken from the connection and no command sent to it; then it is closed.

        One that still answers is no leftover: there may be two devices with the credentials of one.
        """
        session.fence(*SUPERSEDED)
        await self._bus.detach(session.station_id, session.execute)
        if await session.socket.answers(within_s=_ANSWER_S):
            if session.remote_address != newer_source:
                self._incidents.notice(
                    IncidentKind.DUPLICATE_CONNECTION,
                    station_id=session.station_id,
                    source=newer_source,
                    detail=f"the other connection is from {session.remote_address}",
                )
            self._count_flap(session.station_id)
        await session.close(*(session.closed_with or SUPERSEDED))

    def _count_flap(self, station_id: str) -> None:
        if self._flaps.note(station_id):
            self._incidents.notice(IncidentKind.FLAPPING, station_id=station_id)

    def _tell(self, envelope: Envelope) -> None:
        self._bus.publish(envelope).add_done_callback(partial(self._heed, envelope))

    def _heed(self, envelope: Envelope, done: asyncio.Future[None]) -> None:
        """What the bus did not take is told again: else the system would be wrong about the station until it comes back
        or goes again. Order does not matter, epochs tell."""
        error = None if done.cancelled() else done.exception()
        if error is None:
            return
        if self._sparse.due():
            log.warning("connection_event_unconfirmed", error=repr(error), expected=isinstance(error, BusError))
        if isinstance(error, (BusFull, Unroutable)):
            asyncio.get_running_loop().call_later(_TELL_AGAIN_S, self._tell, envelope)
