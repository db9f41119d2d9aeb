"""What the security whitepaper adds to 1.6 (edition 3, §4): security events and certificate signing."""

from communication_service.ocpp.route import Answer, Context, Payload, Publish
from communication_service.ocpp.wire import moment
from shared_contracts.stations import SecurityEventReported


def security_event(payload: Payload, context: Context) -> Publish:
    """SecurityEventNotification; the same in 2.0.1 and 2.1 (A04)."""
    event = SecurityEventReported(
        station_id=context.station_id,
        type=payload["type"],
        tech_info=payload.get("techInfo"),
        reported_at=moment(payload["timestamp"], context, []),
    )
    return Publish(event, {})


def sign_certificate(_: Payload, __: Context) -> Answer:
    """SignCertificate is refused: nobody here signs certificates of stations."""
    return Answer({"status": "Rejected"})
