"""Certificates of stations (OCPP 2.0.1 and 2.1 A02, A03)."""

from communication_service.ocpp.route import Answer, Ask, Context, OutboundCall, Payload
from communication_service.ocpp.v16.security import signing_answer
from communication_service.ocpp.wire import maybe_whole, present
from shared_contracts.certificates import RequestCertificate, SigningAnswered
from shared_contracts.commands import InstallCertificate

_STATIONS = "ChargingStationCertificate"


def sign_certificate(payload: Payload, context: Context) -> Ask[SigningAnswered] | Answer:
    """SignCertificate: of the certificates for ISO 15118 (V2G) none is signed here."""
    if payload.get("certificateType", _STATIONS) != _STATIONS:
        info = {"reasonCode": "UnsupportedRequest", "additionalInfo": "V2G certificates are signed elsewhere"}
        return Answer({"status": "Rejected", "statusInfo": info})
    request = RequestCertificate(
        station_id=context.station_id,
        csr=payload["csr"],
        request_id=maybe_whole(payload.get("requestId"), "request_id", []),
    )
    return Ask(request, signing_answer)


def certificate_signed(command: InstallCertificate) -> list[OutboundCall]:
    """CertificateSigned; only 2.1 has a number to say which request it answers."""
    payload = present(
        certificateChain=command.certificate_chain, certificateType=_STATIONS, requestId=command.request_id
    )
    return [OutboundCall("CertificateSigned", payload)]
