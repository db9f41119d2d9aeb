from communication_service.ocpp.route import OutboundCall
from communication_service.ocpp.v21.trigger_message import trigger_message
from communication_service.ocpp.v201.words import TRIGGERS
from communication_service.ocpp.versions import Version
from shared_contracts.commands import TriggerMessage
from tests.communication_service.ocpp import official


def test_a_message_that_ocpp_names_is_triggered_by_its_name() -> None:
    assert trigger_message(TriggerMessage(message="Heartbeat")) == [
        OutboundCall("TriggerMessage", {"requestedMessage": "Heartbeat"})
    ]


def test_any_other_is_a_custom_trigger() -> None:
    [call] = trigger_message(TriggerMessage(message="Selfie", evse_id=1))
    assert call.payload == {"requestedMessage": "CustomTrigger", "customTrigger": "Selfie", "evse": {"id": 1}}
    assert official.violations(Version.V21, call.action, call.payload) == []


def test_every_trigger_of_the_schema_is_known() -> None:
    assert set(official.words(Version.V21, "TriggerMessage", "requestedMessage")) == TRIGGERS
