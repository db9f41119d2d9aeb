"""Starting and stopping a charge from afar (OCPP 2.0.1 F01 to F03)."""

from communication_service.ocpp.route import OutboundCall
from communication_service.ocpp.v201.charging_profiles import charging_profile
from communication_service.ocpp.wire import present
from shared_contracts.commands import StartCharging, StopCharging


def request_start(command: StartCharging) -> list[OutboundCall]:
    """RequestStartTransaction. It names no connector: the EVSE has one cable in use at a time.

    Without a `remote_start_id` it bears 0, and the transaction cannot be told to come of it.
    """
    profile = command.charging_profile
    payload = present(
        idToken={"idToken": command.id_token, "type": command.token_type},
        remoteStartId=command.remote_start_id or 0,
        evseId=command.evse_id,
        chargingProfile=profile and charging_profile(profile),
    )
    return [OutboundCall("RequestStartTransaction", payload)]


def request_stop(command: StopCharging) -> list[OutboundCall]:
    """RequestStopTransaction."""
    return [OutboundCall("RequestStopTransaction", {"transactionId": command.transaction_ref})]
