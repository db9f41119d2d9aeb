"""StatusNotification (OCPP 1.6 §4.9)."""

from communication_service.ocpp.route import Context, Payload, Publish
from communication_service.ocpp.v16.words import ERROR_CODES
from communication_service.ocpp.wire import moment, whole
from shared_contracts.stations import ConnectorStatus, StatusReported

STATUSES = {
    "Available": ConnectorStatus.AVAILABLE,
    "Preparing": ConnectorStatus.PREPARING,
    "Charging": ConnectorStatus.CHARGING,
    "SuspendedEVSE": ConnectorStatus.SUSPENDED_EVSE,
    "SuspendedEV": ConnectorStatus.SUSPENDED_EV,
    "Finishing": ConnectorStatus.FINISHING,
    "Reserved": ConnectorStatus.RESERVED,
    "Unavailable": ConnectorStatus.UNAVAILABLE,
    "Faulted": ConnectorStatus.FAULTED,
}


def status_notification(payload: Payload, context: Context) -> Publish:
    """A connector changed its state, or has an error to tell. `NoError` is no error code."""
    flags: list[str] = []
    status, error_code = payload["status"], payload["errorCode"]
    if status not in STATUSES:
        flags.append("unknown_status")
    if error_code not in ERROR_CODES:
        flags.append("unknown_error_code")
    event = StatusReported(
        station_id=context.station_id,
        connector_id=whole(payload["connectorId"], "connector_id", flags),
        status=STATUSES.get(status, ConnectorStatus.UNKNOWN),
        raw_status=status,
        error_code=None if error_code == "NoError" else error_code,
        info=payload.get("info"),
        vendor_id=payload.get("vendorId"),
        vendor_error_code=payload.get("vendorErrorCode"),
        reported_at=moment(payload.get("timestamp"), context, flags),
        flags=tuple(flags),
    )
    return Publish(event, {})
