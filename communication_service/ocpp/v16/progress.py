"""How firmware updates and log uploads go: OCPP 1.6 §4.4 and §4.5, security whitepaper §4; the same fields in 2.x."""

from communication_service.ocpp.route import Context, Payload, Publish
from communication_service.ocpp.wire import maybe_whole
from shared_contracts.stations import FirmwareStatusReported, LogStatusReported


def firmware_status(payload: Payload, context: Context) -> Publish:
    """FirmwareStatusNotification and SignedFirmwareStatusNotification."""
    event = FirmwareStatusReported(
        station_id=context.station_id,
        status=payload["status"],
        request_id=maybe_whole(payload.get("requestId"), "request_id", []),
        reported_at=context.received_at,
    )
    return Publish(event, {})


def log_status(payload: Payload, context: Context) -> Publish:
    """DiagnosticsStatusNotification and LogStatusNotification."""
    event = LogStatusReported(
        station_id=context.station_id,
        status=payload["status"],
        request_id=maybe_whole(payload.get("requestId"), "request_id", []),
        reported_at=context.received_at,
    )
    return Publish(event, {})
