import pytest

from communication_service.ocpp.v16.status_notification import STATUSES
from communication_service.ocpp.v16.words import ERROR_CODES
from communication_service.ocpp.versions import Version
from shared_contracts.stations import ConnectorStatus, StatusReported
from tests.communication_service.ocpp import official
from tests.communication_service.ocpp.conversation import AT, AT_TEXT, RECEIVED_AT, Station

STATION = Station(Version.V16)


def test_a_fault_is_told_with_all_its_details() -> None:
    payload = {
        "connectorId": 2,
        "status": "Faulted",
        "errorCode": "GroundFailure",
        "info": "i",
        "vendorId": "v",
        "vendorErrorCode": "E7",
        "timestamp": AT_TEXT,
    }
    assert STATION.publishes("StatusNotification", payload) == StatusReported(
        station_id="CS1",
        connector_id=2,
        status=ConnectorStatus.FAULTED,
        raw_status="Faulted",
        error_code="GroundFailure",
        info="i",
        vendor_id="v",
        vendor_error_code="E7",
        reported_at=AT,
    )


def test_no_error_is_no_error_code_and_no_timestamp_the_time_of_receipt() -> None:
    payload = {"connectorId": 0, "status": "Available", "errorCode": "NoError"}
    assert STATION.publishes("StatusNotification", payload) == StatusReported(
        station_id="CS1",
        connector_id=0,
        status=ConnectorStatus.AVAILABLE,
        raw_status="Available",
        reported_at=RECEIVED_AT,
        flags=("time_absent",),
    )


def test_words_that_ocpp_does_not_have_are_kept_and_flagged() -> None:
    payload = {"connectorId": 1, "status": "Sleeping", "errorCode": "Cold", "timestamp": AT_TEXT}
    event = STATION.publishes("StatusNotification", payload, odd=True)
    assert isinstance(event, StatusReported)
    assert (event.status, event.raw_status, event.error_code) == (ConnectorStatus.UNKNOWN, "Sleeping", "Cold")
    assert event.flags == ("unknown_status", "unknown_error_code")


@pytest.mark.parametrize(("known", "field"), [(set(STATUSES), "status"), (ERROR_CODES, "errorCode")])
def test_every_word_of_the_schema_is_known(known: set[str], field: str) -> None:
    assert known == set(official.words(Version.V16, "StatusNotification", field))
