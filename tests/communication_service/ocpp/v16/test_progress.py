import pytest

from communication_service.ocpp.versions import Version
from shared_contracts.message import Event
from shared_contracts.stations import FirmwareStatusReported, LogStatusReported
from tests.communication_service.ocpp.conversation import RECEIVED_AT, Station


@pytest.mark.parametrize(
    ("action", "payload", "kind"),
    [
        ("FirmwareStatusNotification", {"status": "Installed"}, FirmwareStatusReported),
        ("SignedFirmwareStatusNotification", {"status": "Installed", "requestId": 4}, FirmwareStatusReported),
        ("DiagnosticsStatusNotification", {"status": "Uploaded"}, LogStatusReported),
        ("LogStatusNotification", {"status": "Uploaded", "requestId": 4}, LogStatusReported),
    ],
)
def test_progress_is_published_in_ocpps_word(
    action: str, payload: dict[str, object], kind: type[FirmwareStatusReported | LogStatusReported]
) -> None:
    event: Event = kind.model_validate(
        {
            "station_id": "CS1",
            "status": payload["status"],
            "request_id": payload.get("requestId"),
            "reported_at": RECEIVED_AT,
        }
    )
    assert Station(Version.V16).publishes(action, payload) == event
