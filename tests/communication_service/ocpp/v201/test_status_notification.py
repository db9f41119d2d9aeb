from communication_service.ocpp.v201.status_notification import STATUSES
from communication_service.ocpp.versions import Version
from shared_contracts.stations import ConnectorStatus, StatusReported
from tests.communication_service.ocpp import official
from tests.communication_service.ocpp.conversation import AT, AT_TEXT, Station

STATION = Station(Version.V201)
STATUS = {"evseId": 1, "connectorId": 2, "connectorStatus": "Occupied", "timestamp": AT_TEXT}


def test_a_status_names_evse_and_connector() -> None:
    assert STATION.publishes("StatusNotification", STATUS) == StatusReported(
        station_id="CS1",
        evse_id=1,
        connector_id=2,
        status=ConnectorStatus.OCCUPIED,
        raw_status="Occupied",
        reported_at=AT,
    )


def test_an_unknown_status_is_kept_and_flagged() -> None:
    event = STATION.publishes("StatusNotification", STATUS | {"connectorStatus": "Preparing"}, odd=True)
    assert isinstance(event, StatusReported)
    assert (event.status, event.raw_status, event.flags) == (ConnectorStatus.UNKNOWN, "Preparing", ("unknown_status",))


def test_every_status_of_the_schema_is_known() -> None:
    for version in (Version.V201, Version.V21):
        assert set(STATUSES) == set(official.words(version, "StatusNotification", "connectorStatus"))
