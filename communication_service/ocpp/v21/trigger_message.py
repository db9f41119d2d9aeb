"""TriggerMessage (OCPP 2.1 F06): a message that OCPP does not name is triggered by its custom name."""

from communication_service.ocpp.route import OutboundCall
from communication_service.ocpp.v201 import operation
from communication_service.ocpp.v201.words import TRIGGERS
from shared_contracts.commands import TriggerMessage


def trigger_message(command: TriggerMessage) -> list[OutboundCall]:
    """TriggerMessage, with `customTrigger` for a name that is not one of MessageTriggerEnumType."""
    [call] = operation.trigger_message(command)
    message = call.payload["requestedMessage"]
    if message in TRIGGERS:
        return [call]
    custom = {"requestedMessage": "CustomTrigger", "customTrigger": message}
    return [OutboundCall(call.action, call.payload | custom)]
