"""StatusNotification (OCPP 2.0.1 G01)."""

from communication_service.ocpp.route import Context, Payload, Publish
from communication_service.ocpp.wire import moment, whole
from shared_contracts.stations import ConnectorStatus, StatusReported

STATUSES = {
    "Available": ConnectorStatus.AVAILABLE,
    "Occupied": ConnectorStatus.OCCUPIED,
    "Reserved": ConnectorStatus.RESERVED,
    "Unavailable": ConnectorStatus.UNAVAILABLE,
    "Faulted": ConnectorStatus.FAULTED,
}


def status_notification(payload: Payload, context: Context) -> Publish:
    """A connector changed its state."""
    flags: list[str] = []
    status = payload["connectorStatus"]
    if status not in STATUSES:
        flags.append("unknown_status")
    event = StatusReported(
        station_id=context.station_id,
        evse_id=whole(payload["evseId"], "evse_id", flags),
        connector_id=whole(payload["connectorId"], "connector_id", flags),
        status=STATUSES.get(status, ConnectorStatus.UNKNOWN),
        raw_status=status,
        reported_at=moment(payload["timestamp"], context, flags),
        flags=tuple(flags),
    )
    return Publish(event, {})
