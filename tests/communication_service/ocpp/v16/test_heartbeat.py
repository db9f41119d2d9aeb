from communication_service.ocpp.versions import Version
from tests.communication_service.ocpp.conversation import Station


def test_a_heartbeat_is_told_the_time_at_once() -> None:
    assert Station(Version.V16).is_told("Heartbeat", {}) == {"currentTime": "2025-03-01T12:00:00.000Z"}
