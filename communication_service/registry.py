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
from shared_contracts.message import Envelope, Event
from shared_contracts.stations import StationConnected, StationDisconnected

log = structlog.get_logger()


class Registry:
    """The sessions of the pod, their bindings on the bus, and the events that tell of them."""

    def __init__(self, bus: Bus, pod_id: str) -> None:
        self._bus = bus
        self._pod_id = pod_id
        self._sessions: dict[str, Session] = {}
        self._last_epoch = 0
        self._closing: set[asyncio.Task[None]] = set()
        self.emptied = asyncio.Event()
        self.emptied.set()

    def __iter__(self) -> Iterator[Session]:
        return iter(tuple(self._sessions.values()))

    def __len__(self) -> int:
        return len(self._sessions)

    def get(self, station_id: str) -> Session | None:
        """The living session of a station, if this pod holds it."""
        return self._sessions.get(station_id)

    def next_epoch(self) -> int:
        """A number greater than that of every earlier connection, on any pod whose clock is right."""
        self._last_epoch = max(time.time_ns(), self._last_epoch + 1)
        return self._last_epoch

    async def admit(self, session: Session, *, security_profile: int, remote_address: str | None) -> None:
        """Make this the living connection: an older one is closed, commands come here, the system is told."""
        older = self._sessions.get(session.station_id)
        self._sessions[session.station_id] = session
        self.emptied.clear()
        CONNECTIONS.labels(session.dialect.version).inc()
        if older is not None:
            self._close(older, "a newer connection of the station was opened")
        await self._bus.attach(session.station_id, session.execute)
        self._tell(
            StationConnected(
                station_id=session.station_id,
                epoch=session.epoch,
                pod_id=self._pod_id,
                ocpp_version=session.dialect.version,
                security_profile=security_profile,
                remote_address=remote_address,
                connected_at=datetime.now(UTC),
            )
        )
        log.info("station_connected", station=session.station_id, version=session.dialect.version, epoch=session.epoch)

    async def dismiss(self, session: Session) -> None:
        """The session ended: removes only what is its own, a newer session stays untouched."""
        CONNECTIONS.labels(session.dialect.version).dec()
        if self._sessions.get(session.station_id) is session:
            del self._sessions[session.station_id]
        if not self._sessions:
            self.emptied.set()
        await self._bus.detach(session.station_id, session.execute)
        self._tell(
            StationDisconnected(
                station_id=session.station_id,
                epoch=session.epoch,
                pod_id=self._pod_id,
                close_code=session.socket.close_code,
                reason=session.close_reason,
                disconnected_at=datetime.now(UTC),
            )
        )
        log.info("station_disconnected", station=session.station_id, code=session.socket.close_code)

    def hear(self, envelope: Envelope) -> None:
        """Another pod admitted a station: if that is newer than what we hold, ours is a leftover."""
        told = envelope.read(StationConnected)
        mine = self._sessions.get(told.station_id)
        if mine is not None and mine.epoch < told.epoch:
            self._close(mine, "a newer connection of the station was opened")

    def _close(self, session: Session, reason: str) -> None:
        task = asyncio.create_task(session.close(WSCloseCode.POLICY_VIOLATION, reason))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _tell(self, event: Event) -> None:
        self._bus.publish(Envelope.of(event)).add_done_callback(_note_failure)


def _note_failure(done: asyncio.Future[None]) -> None:
    error = None if done.cancelled() else done.exception()
    if error is not None:
        log.warning("connection_event_unconfirmed", error=repr(error), expected=isinstance(error, BusError))
