import pytest

from communication_service.ocpp.route import NotExpressible, OutboundCall
from communication_service.ocpp.v16.charging import remote_start, remote_stop
from shared_contracts.commands import StartCharging, StopCharging


@pytest.mark.parametrize(
    ("evse_id", "connector_id", "expected"),
    [(None, None, None), (2, None, 2), (None, 1, 1), (2, 1, 2), (1, 2, 2), (1, 1, 1)],
)
def test_a_start_names_the_connector_that_is_meant(
    evse_id: int | None, connector_id: int | None, expected: int | None
) -> None:
    command = StartCharging(id_token="A", evse_id=evse_id, connector_id=connector_id)
    [call] = remote_start(command)
    assert (call.action, call.payload.get("connectorId")) == ("RemoteStartTransaction", expected)


def test_an_id_token_longer_than_an_id_tag_cannot_start() -> None:
    with pytest.raises(NotExpressible, match="20 characters"):
        remote_start(StartCharging(id_token="A" * 21))


def test_a_stop_names_the_transactions_number() -> None:
    assert remote_stop(StopCharging(transaction_ref="77")) == [
        OutboundCall("RemoteStopTransaction", {"transactionId": 77})
    ]


@pytest.mark.parametrize("reference", ["", "a1", "-", "7.0", "\u0667", "9" * 5000, "9" * 19])
def test_a_transaction_without_a_number_cannot_be_stopped(reference: str) -> None:
    with pytest.raises(NotExpressible, match="has a number"):
        remote_stop(StopCharging(transaction_ref=reference))
