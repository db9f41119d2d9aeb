from typing import Any

import pytest

from communication_service.ocpp.route import NotExpressible, OutboundCall
from communication_service.ocpp.v16.routes import COMMANDS
from shared_contracts.commands import ChangeAvailability, ResetStation, TriggerMessage, UnlockConnector


@pytest.mark.parametrize(
    ("command", "action", "payload"),
    [
        (ResetStation(when="immediate"), "Reset", {"type": "Hard"}),
        (ResetStation(when="on_idle"), "Reset", {"type": "Soft"}),
        (UnlockConnector(evse_id=1, connector_id=2), "UnlockConnector", {"connectorId": 2}),
        (UnlockConnector(evse_id=2), "UnlockConnector", {"connectorId": 2}),
        (TriggerMessage(message="Heartbeat"), "TriggerMessage", {"requestedMessage": "Heartbeat"}),
        (
            TriggerMessage(message="MeterValues", connector_id=1),
            "TriggerMessage",
            {"requestedMessage": "MeterValues", "connectorId": 1},
        ),
        (
            TriggerMessage(message="SignChargingStationCertificate"),
            "ExtendedTriggerMessage",
            {"requestedMessage": "SignChargePointCertificate"},
        ),
        (ChangeAvailability(operative=False), "ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}),
        (ChangeAvailability(operative=True, evse_id=2), "ChangeAvailability", {"connectorId": 2, "type": "Operative"}),
    ],
)
def test_a_command_is_said_in_the_words_of_16(command: Any, action: str, payload: dict[str, Any]) -> None:
    assert COMMANDS[type(command)].calls(command) == [OutboundCall(action, payload)]


@pytest.mark.parametrize("command", [ResetStation(evse_id=1), TriggerMessage(message="TransactionEvent")])
def test_what_16_cannot_do_is_not_sent(command: Any) -> None:
    with pytest.raises(NotExpressible):
        COMMANDS[type(command)].calls(command)
