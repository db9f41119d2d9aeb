import pytest

from communication_service.ocpp.versions import Version
from shared_contracts.charge_points import DataReceived, ReceiveData
from tests.communication_service.ocpp.conversation import Station

STATION = Station(Version.V201)


@pytest.mark.parametrize(
    ("data", "text"), [("plain", "plain"), ({"a": [1, None]}, '{"a":[1,null]}'), (0, "0"), (False, "false")]
)
def test_any_json_is_handed_on_as_text(data: object, text: str) -> None:
    request = STATION.asks("DataTransfer", {"vendorId": "v", "data": data})
    assert request == ReceiveData(station_id="CS1", vendor_id="v", data=text)


def test_the_station_is_told_status_and_data() -> None:
    reply = DataReceived(status="UnknownMessageId", data="x")
    told = STATION.is_told("DataTransfer", {"vendorId": "v"}, reply)
    assert told == {"status": "UnknownMessageId", "data": "x"}
