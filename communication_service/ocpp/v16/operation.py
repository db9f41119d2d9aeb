"""Reset, unlock, availability and triggers (OCPP 1.6 §5.2, §5.14, §5.17, §5.18; security whitepaper §4)."""

from communication_service.ocpp.route import NotExpressible, OutboundCall
from communication_service.ocpp.v16.connectors import connector_of
from communication_service.ocpp.wire import present
from shared_contracts.commands import ChangeAvailability, ResetStation, TriggerMessage, UnlockConnector

_TRIGGERS = {
    name: ("TriggerMessage", name)
    for name in (
        "BootNotification",
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "Heartbeat",
        "MeterValues",
        "StatusNotification",
    )
} | {
    "LogStatusNotification": ("ExtendedTriggerMessage", "LogStatusNotification"),
    "SignChargePointCertificate": ("ExtendedTriggerMessage", "SignChargePointCertificate"),
    "SignChargingStationCertificate": ("ExtendedTriggerMessage", "SignChargePointCertificate"),
}


def reset(command: ResetStation) -> list[OutboundCall]:
    """Reset. Raises NotExpressible for a single EVSE: 1.6 would restart them all."""
    if command.evse_id:
        raise NotExpressible("OCPP 1.6 resets the whole station, not one EVSE")
    return [OutboundCall("Reset", {"type": "Hard" if command.when == "immediate" else "Soft"})]


def unlock_connector(command: UnlockConnector) -> list[OutboundCall]:
    """UnlockConnector."""
    return [OutboundCall("UnlockConnector", {"connectorId": connector_of(command.evse_id, command.connector_id)})]


def trigger_message(command: TriggerMessage) -> list[OutboundCall]:
    """TriggerMessage, or ExtendedTriggerMessage for what only that can trigger. Raises NotExpressible for others."""
    if command.message not in _TRIGGERS:
        raise NotExpressible(f"OCPP 1.6 cannot trigger {command.message}")
    action, message = _TRIGGERS[command.message]
    connector_id = connector_of(command.evse_id, command.connector_id)
    return [OutboundCall(action, present(requestedMessage=message, connectorId=connector_id))]


def change_availability(command: ChangeAvailability) -> list[OutboundCall]:
    """ChangeAvailability; connector 0 is the whole station."""
    payload = {
        "connectorId": connector_of(command.evse_id, command.connector_id) or 0,
        "type": "Operative" if command.operative else "Inoperative",
    }
    return [OutboundCall("ChangeAvailability", payload)]
