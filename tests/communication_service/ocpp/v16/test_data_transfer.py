from communication_service.ocpp.schemas import Kind
from communication_service.ocpp.v16.data_transfer import STATUSES
from communication_service.ocpp.versions import Version
from shared_contracts.charge_points import DataReceived, ReceiveData
from tests.communication_service.ocpp import official
from tests.communication_service.ocpp.conversation import Station

STATION = Station(Version.V16)
TRANSFER = {"vendorId": "com.example", "messageId": "m", "data": "{}"}


def test_vendor_data_is_handed_on_as_text() -> None:
    assert STATION.asks("DataTransfer", TRANSFER) == ReceiveData(
        station_id="CS1", vendor_id="com.example", message_id="m", data="{}"
    )


def test_the_station_is_told_status_and_data() -> None:
    reply = DataReceived(status="Accepted", data="ok")
    assert STATION.is_told("DataTransfer", TRANSFER, reply) == {"status": "Accepted", "data": "ok"}


def test_a_status_that_ocpp_does_not_have_becomes_rejected() -> None:
    assert STATION.is_told("DataTransfer", TRANSFER, DataReceived(status="Whatever")) == {"status": "Rejected"}


def test_every_status_of_the_schema_is_known() -> None:
    assert set(official.words(Version.V16, "DataTransfer", "status", kind=Kind.RESPONSE)) == STATUSES
