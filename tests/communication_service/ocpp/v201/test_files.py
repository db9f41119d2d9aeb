from datetime import UTC, datetime

from communication_service.ocpp.route import OutboundCall
from communication_service.ocpp.v201.files import get_log, update_firmware
from shared_contracts.commands import GetLog, UpdateFirmware

AT, AT_TEXT = datetime(2025, 3, 1, 12, tzinfo=UTC), "2025-03-01T12:00:00.000Z"


def test_firmware_is_updated() -> None:
    command = UpdateFirmware(location="https://x/f", retrieve_at=AT, request_id=4, signature="sig", retries=0)
    firmware = {"location": "https://x/f", "retrieveDateTime": AT_TEXT, "signature": "sig"}
    assert update_firmware(command) == [
        OutboundCall("UpdateFirmware", {"requestId": 4, "firmware": firmware, "retries": 0})
    ]


def test_a_log_is_fetched() -> None:
    command = GetLog(log="security", location="https://x/l", request_id=5, latest_at=AT)
    log = {"remoteLocation": "https://x/l", "latestTimestamp": AT_TEXT}
    assert get_log(command) == [OutboundCall("GetLog", {"log": log, "logType": "SecurityLog", "requestId": 5})]
