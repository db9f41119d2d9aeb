"""Starting and stopping a charge from afar (OCPP 1.6 §5.11, §5.12)."""

from communication_service.ocpp.route import NotExpressible, OutboundCall
from communication_service.ocpp.v16.charging_profiles import charging_profile, transaction_number
from communication_service.ocpp.v16.connectors import connector_of
from communication_service.ocpp.wire import present
from shared_contracts.commands import StartCharging, StopCharging

_LONGEST_ID_TAG = 20


def remote_start(command: StartCharging) -> list[OutboundCall]:
    """RemoteStartTransaction. Raises NotExpressible for an id token longer than 1.6 allows."""
    if len(command.id_token) > _LONGEST_ID_TAG:
        raise NotExpressible(f"an id tag of OCPP 1.6 has at most {_LONGEST_ID_TAG} characters")
    profile = command.charging_profile
    payload = present(
        idTag=command.id_token,
        connectorId=connector_of(command.evse_id, command.connector_id),
        chargingProfile=profile and charging_profile(profile),
    )
    return [OutboundCall("RemoteStartTransaction", payload)]


def remote_stop(command: StopCharging) -> list[OutboundCall]:
    """RemoteStopTransaction. Raises NotExpressible if the transaction's id is not a number."""
    return [OutboundCall("RemoteStopTransaction", {"transactionId": transaction_number(command.transaction_ref)})]
