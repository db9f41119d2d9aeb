"""Which stations this pod holds. The newest authenticated connection of a station is the living one."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import structlog
from aiohttp import WSCloseCode

from communication_service.metrics import CONNECTIONS
from communication_service.session import Session
from shared_contracts.bus import Bus, BusError
from shared_contracts.message import Envelope
from shared_contracts.stations import StationConnected, StationDisconnected

log = structlog.get_logger()


class Registry:
    """The sessions of the pod, their bindings on the bus, and the events that tell of them."""

    def __init__(self, bus: Bus, pod_id: str) -> None:
        self._bus = bus
        self._pod_id = pod_id
        self._living: dict[str, Session] = {}
        self._all: set[Session] = set()
        self._last_epoch = 0
        self._closing: set[asyncio.Task[None]] = set()
        self.emptied = asyncio.Event()
        self.emptied.set()

    def __iter__(self) -> Iterator[Session]:
        return iter(tuple(self._all))

    def __len__(self) -> int:
        return len(self._living)

    def get(self, station_id: str) -> Session | None:
        """The living session of a station, if this pod holds it."""
        return self._living.get(station_id)

    def next_epoch(self) -> int:
        """The time in nanoseconds: greater than that of every earlier connection, on any pod whose clock is right."""
        self._last_epoch = max(time.time_ns(), self._last_epoch + 1)
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
            self._supersede(older)
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
            security_profile=session.security_profile,
            remote_address=session.remote_address,
            connected_at=datetime.fromtimestamp(session.epoch / 1e9, UTC),
        )
        self._tell(Envelope.of(event))

    async def dismiss(self, session: Session) -> None:
        """The session ended: removes only what is its own, a newer session stays untouched."""
        CONNECTIONS.labels(session.dialect.version).dec()
        self._all.discard(session)
        if self._living.get(session.station_id) is session:
            del self._living[session.station_id]
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
        mine = self._living.get(told.station_id)
        if mine is None or not mine.announced or told.pod_id == self._pod_id:
            return
        if mine.epoch < told.epoch:
            self._supersede(mine)
        elif mine.epoch > told.epoch:
            self._announce(mine)

    def _supersede(self, session: Session) -> None:
        task = asyncio.create_task(
            session.close(WSCloseCode.POLICY_VIOLATION, "a newer connection of the station was opened")
        )
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _tell(self, envelope: Envelope) -> None:
        self._bus.publish(envelope).add_done_callback(_note_failure)


def _note_failure(done: asyncio.Future[None]) -> None:
    error = None if done.cancelled() else done.exception()
    if error is not None:
        log.warning("connection_event_unconfirmed", error=repr(error), expected=isinstance(error, BusError))
