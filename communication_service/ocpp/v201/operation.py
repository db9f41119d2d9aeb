"""Reset, unlock, availability and triggers (OCPP 2.0.1 B11, B12, F05, F06, G03, G04)."""

from communication_service.ocpp.route import NotExpressible, OutboundCall, Payload
from communication_service.ocpp.wire import present
from shared_contracts.commands import ChangeAvailability, ResetStation, TriggerMessage, UnlockConnector

_NAMES_OF_16 = {
    "DiagnosticsStatusNotification": "LogStatusNotification",
    "SignChargePointCertificate": "SignChargingStationCertificate",
}


def reset(command: ResetStation) -> list[OutboundCall]:
    """Reset of the station or one EVSE."""
    kind = "Immediate" if command.when == "immediate" else "OnIdle"
    return [OutboundCall("Reset", present(type=kind, evseId=command.evse_id))]


def unlock_connector(command: UnlockConnector) -> list[OutboundCall]:
    """UnlockConnector."""
    payload = {"evseId": command.evse_id, "connectorId": command.connector_id}
    return [OutboundCall("UnlockConnector", payload)]


def trigger_message(command: TriggerMessage) -> list[OutboundCall]:
    """TriggerMessage; two messages are also known by their name of 1.6."""
    message = _NAMES_OF_16.get(command.message, command.message)
    evse = evse_of(command.evse_id, command.connector_id)
    return [OutboundCall("TriggerMessage", present(requestedMessage=message, evse=evse))]


def change_availability(command: ChangeAvailability) -> list[OutboundCall]:
    """ChangeAvailability of the station, an EVSE or a connector."""
    status = "Operative" if command.operative else "Inoperative"
    evse = evse_of(command.evse_id, command.connector_id)
    return [OutboundCall("ChangeAvailability", present(operationalStatus=status, evse=evse))]


def evse_of(evse_id: int | None, connector_id: int | None) -> Payload | None:
    """EVSEType; None for the whole station. Raises NotExpressible for a connector without its EVSE."""
    if evse_id:
        return present(id=evse_id, connectorId=connector_id)
    if connector_id:
        raise NotExpressible("a connector is named together with its EVSE")
    return None
