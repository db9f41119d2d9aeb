from typing import Any

import pytest

from communication_service.ocpp.route import NotExpressible, OutboundCall
from communication_service.ocpp.v201.routes import COMMANDS
from shared_contracts.commands import ChangeAvailability, ResetStation, TriggerMessage, UnlockConnector


@pytest.mark.parametrize(
    ("command", "action", "payload"),
    [
        (ResetStation(when="immediate", evse_id=1), "Reset", {"type": "Immediate", "evseId": 1}),
        (ResetStation(when="on_idle"), "Reset", {"type": "OnIdle"}),
        (UnlockConnector(evse_id=2, connector_id=1), "UnlockConnector", {"evseId": 2, "connectorId": 1}),
        (
            TriggerMessage(message="StatusNotification", evse_id=1, connector_id=2),
            "TriggerMessage",
            {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 2}},
        ),
        (
            TriggerMessage(message="DiagnosticsStatusNotification"),
            "TriggerMessage",
            {"requestedMessage": "LogStatusNotification"},
        ),
        (ChangeAvailability(operative=True), "ChangeAvailability", {"operationalStatus": "Operative"}),
        (
            ChangeAvailability(operative=False, evse_id=1),
            "ChangeAvailability",
            {"operationalStatus": "Inoperative", "evse": {"id": 1}},
        ),
    ],
)
def test_a_command_is_said_in_the_words_of_2x(command: Any, action: str, payload: dict[str, Any]) -> None:
    assert COMMANDS[type(command)].calls(command) == [OutboundCall(action, payload)]


@pytest.mark.parametrize(
    "command",
    [TriggerMessage(message="MeterValues", connector_id=1), ChangeAvailability(operative=True, connector_id=1)],
)
def test_a_connector_is_not_named_without_its_evse(command: Any) -> None:
    with pytest.raises(NotExpressible, match="EVSE"):
        COMMANDS[type(command)].calls(command)
