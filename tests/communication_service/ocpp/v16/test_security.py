from communication_service.ocpp.versions import Version
from shared_contracts.certificates import RequestCertificate, SigningAnswered
from shared_contracts.stations import SecurityEventReported
from tests.communication_service.ocpp.conversation import AT, AT_TEXT, Station

STATION = Station(Version.V16)


def test_a_security_event_is_published() -> None:
    payload = {"type": "TamperDetectionActivated", "timestamp": AT_TEXT, "techInfo": "lid"}
    assert STATION.publishes("SecurityEventNotification", payload) == SecurityEventReported(
        station_id="CS1", type="TamperDetectionActivated", tech_info="lid", reported_at=AT
    )


def test_a_request_for_a_certificate_is_put_to_the_module() -> None:
    assert STATION.asks("SignCertificate", {"csr": "PEM"}) == RequestCertificate(station_id="CS1", csr="PEM")
    assert STATION.is_told("SignCertificate", {"csr": "PEM"}, SigningAnswered(accepted=True)) == {"status": "Accepted"}
    refused = SigningAnswered(accepted=False, reason="it does not name this station")
    assert STATION.is_told("SignCertificate", {"csr": "PEM"}, refused) == {"status": "Rejected"}
