from communication_service.ocpp.v16.words import REASONS
from communication_service.ocpp.versions import Version
from shared_contracts.authorization import TokenStatus
from shared_contracts.stations import MeterReading, SampledValue
from shared_contracts.transactions import CloseTransaction, TransactionClosed
from tests.communication_service.ocpp import official
from tests.communication_service.ocpp.conversation import AT, AT_TEXT, RECEIVED_AT, Station

STATION = Station(Version.V16)
STOP = {"transactionId": 77, "meterStop": 5400, "timestamp": AT_TEXT}


def test_a_stop_closes_the_transaction_with_its_readings() -> None:
    data = [{"timestamp": AT_TEXT, "sampledValue": [{"value": "5400", "context": "Transaction.End"}]}]
    payload = STOP | {"idTag": "A", "reason": "EmergencyStop", "transactionData": data}
    assert STATION.asks("StopTransaction", payload) == CloseTransaction(
        station_id="CS1",
        number=77,
        id_token="A",
        meter_stop_wh=5400,
        stopped_at=AT,
        received_at=RECEIVED_AT,
        reason="EmergencyStop",
        readings=(
            MeterReading(
                sampled_at=AT, energy_wh=5400, values=(SampledValue(value="5400", context="Transaction.End"),)
            ),
        ),
    )


def test_a_stop_without_a_reason_is_local() -> None:
    request = STATION.asks("StopTransaction", STOP)
    assert isinstance(request, CloseTransaction)
    assert (request.reason, request.flags) == ("Local", ())


def test_an_absurd_number_and_an_unknown_reason_are_kept_and_flagged() -> None:
    payload = STOP | {"transactionId": 2**63 - 1, "reason": "Bored"}
    request = STATION.asks("StopTransaction", payload, odd=True)
    assert isinstance(request, CloseTransaction)
    assert (request.number, request.reason, request.flags) == (2**63 - 1, "Bored", ("unknown_reason",))


def test_the_verdict_is_told_where_there_is_one() -> None:
    assert STATION.is_told("StopTransaction", STOP, TransactionClosed()) == {}
    assert STATION.is_told("StopTransaction", STOP, TransactionClosed(status=TokenStatus.INVALID)) == {
        "idTagInfo": {"status": "Invalid"}
    }


def test_every_reason_of_the_schema_is_known() -> None:
    assert set(official.words(Version.V16, "StopTransaction", "reason")) == REASONS
