"""What the security whitepaper adds to 1.6 (edition 3, §4): security events and certificates of stations."""

from communication_service.ocpp.route import Ask, Context, OutboundCall, Payload, Publish
from communication_service.ocpp.wire import moment
from shared_contracts.certificates import RequestCertificate, SigningAnswered
from shared_contracts.commands import InstallCertificate
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


def sign_certificate(payload: Payload, context: Context) -> Ask[SigningAnswered]:
    """SignCertificate (whitepaper A02): a request for the station's own certificate."""
    return Ask(RequestCertificate(station_id=context.station_id, csr=payload["csr"]), signing_answer)


def signing_answer(reply: SigningAnswered) -> Payload:
    """The CALLRESULT, the same in all versions."""
    return {"status": "Accepted" if reply.accepted else "Rejected"}


def certificate_signed(command: InstallCertificate) -> list[OutboundCall]:
    """CertificateSigned."""
    return [OutboundCall("CertificateSigned", {"certificateChain": command.certificate_chain})]
