"""Setting and clearing charging profiles (OCPP 1.6 §5.5, §5.16, §7.8)."""

import re

from communication_service.ocpp.route import NotExpressible, OutboundCall, Payload
from communication_service.ocpp.wire import present, stamp, tenths
from shared_contracts.commands import ChargingProfile, ClearChargingProfile, SetChargingProfile

_PURPOSES = {
    "station_max": "ChargePointMaxProfile",
    "tx_default": "TxDefaultProfile",
    "tx": "TxProfile",
}
_NUMBER = re.compile(r"-?\d{1,18}", re.ASCII)


def set_charging_profile(command: SetChargingProfile) -> list[OutboundCall]:
    """SetChargingProfile; the EVSE is the connector."""
    payload = {"connectorId": command.evse_id, "csChargingProfiles": charging_profile(command.profile)}
    return [OutboundCall("SetChargingProfile", payload)]


def clear_charging_profile(command: ClearChargingProfile) -> list[OutboundCall]:
    """ClearChargingProfile."""
    payload = present(
        id=command.profile_id,
        connectorId=command.evse_id,
        chargingProfilePurpose=command.purpose and _PURPOSES[command.purpose],
        stackLevel=command.stack_level,
    )
    return [OutboundCall("ClearChargingProfile", payload)]


def charging_profile(profile: ChargingProfile) -> Payload:
    """ChargingProfile (§7.8). Raises NotExpressible if it names a transaction whose id is not a number."""
    reference = profile.transaction_ref
    return present(
        chargingProfileId=profile.id,
        transactionId=None if reference is None else transaction_number(reference),
        stackLevel=profile.stack_level,
        chargingProfilePurpose=_PURPOSES[profile.purpose],
        chargingProfileKind=profile.kind.capitalize(),
        recurrencyKind=profile.recurrency and profile.recurrency.capitalize(),
        validFrom=stamp(profile.valid_from),
        validTo=stamp(profile.valid_to),
        chargingSchedule=charging_schedule(profile),
    )


def charging_schedule(profile: ChargingProfile) -> Payload:
    """ChargingSchedule (§7.13); 2.x has the same fields and an id more."""
    return present(
        duration=profile.duration_s,
        startSchedule=stamp(profile.start_at),
        chargingRateUnit=profile.unit,
        chargingSchedulePeriod=[
            present(startPeriod=period.start_s, limit=tenths(period.limit), numberPhases=period.number_phases)
            for period in profile.periods
        ],
        minChargingRate=tenths(profile.min_charging_rate),
    )


def transaction_number(reference: str) -> int:
    """The number that a 1.6 station knows a transaction by. Raises NotExpressible if it is none."""
    if not _NUMBER.fullmatch(reference):
        raise NotExpressible(f"a transaction of OCPP 1.6 has a number, not {reference[:40]!r}")
    return int(reference)
