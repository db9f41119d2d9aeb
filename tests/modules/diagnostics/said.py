"""What stations say in these tests, and the module's context without its consumers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from management_service.databases import Database
from management_service.hosted import Hosted
from management_service.settings import ManagementSettings
from modules.diagnostics import module
from modules.diagnostics.domain import Status
from modules.diagnostics.settings import DiagnosticsSettings
from shared_contracts.charge_points import StationRemoved
from shared_contracts.memory import MemoryBus
from shared_contracts.message import Envelope
from shared_contracts.stations import (
    ConnectorStatus,
    MeterReading,
    MetersSampled,
    StationConnected,
    StationDisconnected,
    StatusReported,
)
from shared_contracts.transactions import TransactionReported, TransactionStarted

NOW = datetime.now(UTC).replace(microsecond=0)


@asynccontextmanager
async def hosted(database: str) -> AsyncIterator[Hosted]:
    """The context that the host would give the module; nothing is started."""
    connections = Database(database, ManagementSettings(database_url=database))
    try:
        yield Hosted(module, connections, MemoryBus(), DiagnosticsSettings())
    finally:
        await connections.close()


def a_status(
    station_id: str = "CS-1",
    item: str = "connector:1:1",
    version: int = 1,
    state: str | None = "available",
    **body: object,
) -> Status:
    observed_at = NOW + timedelta(seconds=version % 1000)
    return Status(station_id, item, state, observed_at, version, body or {"version": version})


def reported(
    station_id: str = "CS-1", connector_id: int = 1, state: ConnectorStatus = ConnectorStatus.AVAILABLE, **more: Any
) -> StatusReported:
    values = {"status": state, "raw_status": state, "reported_at": NOW, **more}
    return StatusReported(station_id=station_id, connector_id=connector_id, **values)


def connected(station_id: str = "CS-1", epoch: int = 1) -> StationConnected:
    return StationConnected(
        station_id=station_id, epoch=epoch, pod_id="p", ocpp_version="1.6", security_profile=1, connected_at=NOW
    )


def disconnected(station_id: str = "CS-1", epoch: int = 1) -> StationDisconnected:
    return StationDisconnected(station_id=station_id, epoch=epoch, pod_id="p", disconnected_at=NOW)


def sampled(station_id: str = "CS-1", energy_wh: int | None = 100, connector_id: int = 1, **more: Any) -> MetersSampled:
    readings = (MeterReading(sampled_at=NOW, energy_wh=energy_wh),)
    return MetersSampled(**{"station_id": station_id, "connector_id": connector_id, "readings": readings} | more)


def started(station_id: str = "CS-1", transaction_ref: str = "7", **more: Any) -> TransactionStarted:
    return TransactionStarted(
        transaction_id=f"t-{transaction_ref}",
        station_id=station_id,
        transaction_ref=transaction_ref,
        started_at=NOW,
        **more,
    )


def told(station_id: str = "CS-1", transaction_ref: str = "7", **more: Any) -> TransactionReported:
    values = {"kind": "updated", "sequence_number": 1, "trigger_reason": "MeterValuePeriodic", **more}
    return TransactionReported(
        station_id=station_id, transaction_ref=transaction_ref, happened_at=NOW, received_at=NOW, **values
    )


def removed(station_id: str = "CS-1", at: datetime | None = None) -> Envelope:
    """That a station was removed, at this moment unless another is given."""
    return Envelope.of(StationRemoved(station_id=station_id), occurred_at=at)
