import pytest

from communication_service.ocpp.versions import Version
from shared_contracts.stations import FirmwareStatusReported, LogStatusReported, SecurityEventReported, StationNotified
from tests.communication_service.ocpp.conversation import AT, AT_TEXT, RECEIVED_AT, Station


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
def test_a_notification_is_kept_as_it_came(version: Version) -> None:
    payload = {"reservationId": 7, "reservationUpdateStatus": "Expired"}
    assert Station(version).publishes("ReservationStatusUpdate", payload) == StationNotified(
        station_id="CS1",
        ocpp_version=version.value,
        action="ReservationStatusUpdate",
        payload=payload,
        reported_at=RECEIVED_AT,
    )


def test_progress_and_security_events_are_those_of_16() -> None:
    station = Station(Version.V201)
    assert station.publishes(
        "FirmwareStatusNotification", {"status": "InstallScheduled", "requestId": 4}
    ) == FirmwareStatusReported(station_id="CS1", status="InstallScheduled", request_id=4, reported_at=RECEIVED_AT)
    assert station.publishes("LogStatusNotification", {"status": "AcceptedCanceled"}) == LogStatusReported(
        station_id="CS1", status="AcceptedCanceled", reported_at=RECEIVED_AT
    )
    assert station.publishes(
        "SecurityEventNotification", {"type": "StartupOfTheDevice", "timestamp": AT_TEXT}
    ) == SecurityEventReported(station_id="CS1", type="StartupOfTheDevice", reported_at=AT)


def test_a_secret_is_not_handed_over() -> None:
    event = {
        "eventId": 1,
        "timestamp": AT_TEXT,
        "trigger": "Alerting",
        "eventNotificationType": "CustomMonitor",
        "component": {"name": "SecurityCtrlr"},
    }
    secret = {"variable": {"name": "BasicAuthPassword"}, "actualValue": "c4n4ry"}
    open_one = {"variable": {"name": "Identity"}, "actualValue": "CS1"}
    payload = {"generatedAt": AT_TEXT, "seqNo": 0, "eventData": [event | secret, event | open_one]}
    told = Station(Version.V201).publishes("NotifyEvent", payload)
    assert isinstance(told, StationNotified)
    assert told.payload == payload | {"eventData": [event | secret | {"actualValue": "***"}, event | open_one]}
