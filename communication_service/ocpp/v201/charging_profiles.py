"""Setting and clearing charging profiles (OCPP 2.0.1 K01, K10)."""

from communication_service.ocpp.route import OutboundCall, Payload
from communication_service.ocpp.v16.charging_profiles import charging_schedule
from communication_service.ocpp.wire import present, stamp
from shared_contracts.commands import ChargingProfile, ClearChargingProfile, SetChargingProfile

_PURPOSES = {
    "station_max": "ChargingStationMaxProfile",
    "tx_default": "TxDefaultProfile",
    "tx": "TxProfile",
}


def set_charging_profile(command: SetChargingProfile) -> list[OutboundCall]:
    """SetChargingProfile; EVSE 0 is the whole station."""
    payload = {"evseId": command.evse_id, "chargingProfile": charging_profile(command.profile)}
    return [OutboundCall("SetChargingProfile", payload)]


def clear_charging_profile(command: ClearChargingProfile) -> list[OutboundCall]:
    """ClearChargingProfile, by id, by criteria, or by both."""
    criteria = present(
        evseId=command.evse_id,
        chargingProfilePurpose=command.purpose and _PURPOSES[command.purpose],
        stackLevel=command.stack_level,
    )
    payload = present(chargingProfileId=command.profile_id, chargingProfileCriteria=criteria or None)
    return [OutboundCall("ClearChargingProfile", payload)]


def charging_profile(profile: ChargingProfile) -> Payload:
    """ChargingProfileType with one schedule, which bears the id of the profile."""
    return present(
        id=profile.id,
        stackLevel=profile.stack_level,
        chargingProfilePurpose=_PURPOSES[profile.purpose],
        chargingProfileKind=profile.kind.capitalize(),
        recurrencyKind=profile.recurrency and profile.recurrency.capitalize(),
        validFrom=stamp(profile.valid_from),
        validTo=stamp(profile.valid_to),
        transactionId=profile.transaction_ref,
        chargingSchedule=[{"id": profile.id, **charging_schedule(profile)}],
    )
