from communication_service.ocpp.route import OutboundCall
from communication_service.ocpp.v201.charging import request_start, request_stop
from shared_contracts.commands import StartCharging, StopCharging


def test_a_start_bears_the_token_with_its_type_and_the_id_to_recognise_it_by() -> None:
    command = StartCharging(id_token="A", token_type="eMAID", evse_id=2, connector_id=1, remote_start_id=9)
    assert request_start(command) == [
        OutboundCall(
            "RequestStartTransaction",
            {"idToken": {"idToken": "A", "type": "eMAID"}, "remoteStartId": 9, "evseId": 2},
        )
    ]


def test_a_stop_names_the_transaction() -> None:
    assert request_stop(StopCharging(transaction_ref="T-1")) == [
        OutboundCall("RequestStopTransaction", {"transactionId": "T-1"})
    ]
