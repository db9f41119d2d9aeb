from communication_service.ocpp.versions import Version
from shared_contracts.authorization import TokenStatus
from shared_contracts.transactions import OpenTransaction, TransactionOpened
from tests.communication_service.ocpp.conversation import AT, AT_TEXT, EXPIRES_AT, RECEIVED_AT, Station

STATION = Station(Version.V16)
START = {"connectorId": 1, "idTag": "A", "meterStart": 1200, "timestamp": AT_TEXT}


def test_a_start_opens_a_transaction() -> None:
    assert STATION.asks("StartTransaction", START | {"reservationId": 5}) == OpenTransaction(
        station_id="CS1",
        connector_id=1,
        id_token="A",
        meter_start_wh=1200,
        started_at=AT,
        received_at=RECEIVED_AT,
        reservation_id=5,
    )


def test_the_station_is_told_the_number_and_the_verdict() -> None:
    reply = TransactionOpened(number=77, status=TokenStatus.BLOCKED, expires_at=EXPIRES_AT, group="G")
    assert STATION.is_told("StartTransaction", START, reply) == {
        "transactionId": 77,
        "idTagInfo": {"status": "Blocked", "expiryDate": "2026-01-01T00:00:00.000Z", "parentIdTag": "G"},
    }


def test_a_start_of_a_station_without_a_clock_keeps_its_time_as_a_flag() -> None:
    request = STATION.asks("StartTransaction", START | {"timestamp": "1970-01-01T00:01:00Z", "meterStart": -4})
    assert isinstance(request, OpenTransaction)
    assert (request.started_at, request.meter_start_wh) == (RECEIVED_AT, -4)
    assert request.flags == ("meter_start_wh_negative", "time_not_credible:1970-01-01T00:01:00Z")
