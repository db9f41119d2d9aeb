import pytest

from communication_service.ocpp.versions import Version
from shared_contracts.certificates import RequestCertificate, SigningAnswered
from tests.communication_service.ocpp.conversation import Station


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
def test_a_request_for_a_certificate_is_put_to_the_module(version: Version) -> None:
    station, asked = Station(version), {"csr": "PEM", "certificateType": "ChargingStationCertificate"}
    assert station.asks("SignCertificate", asked) == RequestCertificate(station_id="CS1", csr="PEM")
    assert station.is_told("SignCertificate", asked, SigningAnswered(accepted=True)) == {"status": "Accepted"}


def test_the_number_of_a_request_goes_with_it_within_32_bits() -> None:
    station = Station(Version.V21)
    numbered = station.asks("SignCertificate", {"csr": "PEM", "requestId": 42})
    assert numbered == RequestCertificate(station_id="CS1", csr="PEM", request_id=42)
    odd = station.asks("SignCertificate", {"csr": "PEM", "requestId": 1e300}, odd=True)
    assert odd == RequestCertificate(station_id="CS1", csr="PEM", request_id=2**31 - 1)


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
def test_certificates_for_iso_15118_are_refused(version: Version) -> None:
    told = Station(version).is_told("SignCertificate", {"csr": "PEM", "certificateType": "V2GCertificate"})
    assert told["status"] == "Rejected"
