"""The commands that OCPP 2.1 adds, as a station without DER, battery swap or event streams obeys them."""

from typing import TYPE_CHECKING

from simulator import actions, commands_v2
from simulator.dialect import Handler, Reply
from simulator.frames import Payload

if TYPE_CHECKING:
    from simulator.core import StationCore


def set_default_tariff(station: "StationCore", payload: Payload) -> Reply:
    """SetDefaultTariff, I07."""
    evse = payload["evseId"]
    if not actions.places(station, evse):
        return Reply({"status": "Rejected"})
    station.memory.tariffs[evse] = payload["tariff"]
    return Reply({"status": "Accepted"})


def get_tariffs(station: "StationCore", payload: Payload) -> Reply:
    """GetTariffs, I09; EVSE 0 asks for all."""
    evse = payload["evseId"]
    assignments = [
        {"tariffId": tariff["tariffId"], "tariffKind": "DefaultTariff", "evseIds": [place]}
        for place, tariff in station.memory.tariffs.items()
        if evse in {0, place}
    ]
    if not assignments:
        return Reply({"status": "NoTariff"})
    return Reply({"status": "Accepted", "tariffAssignments": assignments})


def clear_tariffs(station: "StationCore", payload: Payload) -> Reply:
    """ClearTariffs, I10: the named ones, or all of the EVSE, or all."""
    evse, wanted = payload.get("evseId"), payload.get("tariffIds")
    places = [
        place
        for place, tariff in station.memory.tariffs.items()
        if evse in {None, place} and (wanted is None or tariff["tariffId"] in wanted)
    ]
    cleared = [station.memory.tariffs.pop(place)["tariffId"] for place in places]
    results = [{"tariffId": name, "status": "Accepted"} for name in cleared]
    missing = [{"tariffId": n, "status": "NoTariff"} for n in (wanted or []) if n not in cleared]
    return Reply({"clearTariffsResult": results + missing or [{"status": "NoTariff"}]})


def change_transaction_tariff(station: "StationCore", payload: Payload) -> Reply:
    """ChangeTransactionTariff, I11."""
    found = commands_v2.find_charge(station, payload["transactionId"])
    return Reply({"status": "TxNotFound" if found is None else "Accepted"})


def update_dynamic_schedule(station: "StationCore", payload: Payload) -> Reply:
    """UpdateDynamicSchedule, K28: only of an installed profile."""
    known = payload["chargingProfileId"] in station.memory.profiles
    return Reply({"status": "Accepted" if known else "Rejected"})


def use_priority_charging(station: "StationCore", payload: Payload) -> Reply:
    """UsePriorityCharging, K21: needs a priority profile."""
    if commands_v2.find_charge(station, payload["transactionId"]) is None:
        return Reply({"status": "Rejected"})
    profiles = station.memory.matching(None, "PriorityCharging", None)
    return Reply({"status": "Accepted" if profiles else "NoProfile"})


def notify_allowed_energy_transfer(station: "StationCore", payload: Payload) -> Reply:
    """NotifyAllowedEnergyTransfer, Q02."""
    found = commands_v2.find_charge(station, payload["transactionId"])
    return Reply({"status": "Rejected" if found is None else "Accepted"})


def acknowledge(station: "StationCore", payload: Payload) -> Reply:  # noqa: ARG001 - only acknowledged
    """NotifyWebPaymentStarted, C25: nothing to decide."""
    return Reply({})


def reject(station: "StationCore", payload: Payload) -> Reply:  # noqa: ARG001 - never accepted
    """Refuse what this station has no hardware for."""
    return Reply({"status": "Rejected"})


def not_supported(station: "StationCore", payload: Payload) -> Reply:  # noqa: ARG001 - never accepted
    """Refuse DER control, R04: this station cannot feed in."""
    return Reply({"status": "NotSupported"})


def no_streams(station: "StationCore", payload: Payload) -> Reply:  # noqa: ARG001 - there are none
    """GetPeriodicEventStream, N14: there are none."""
    return Reply({})


TABLE: dict[str, Handler] = commands_v2.TABLE | {
    "SetDefaultTariff": set_default_tariff,
    "GetTariffs": get_tariffs,
    "ClearTariffs": clear_tariffs,
    "ChangeTransactionTariff": change_transaction_tariff,
    "UpdateDynamicSchedule": update_dynamic_schedule,
    "UsePriorityCharging": use_priority_charging,
    "NotifyAllowedEnergyTransfer": notify_allowed_energy_transfer,
    "NotifyWebPaymentStarted": acknowledge,
    "AFRRSignal": reject,
    "RequestBatterySwap": reject,
    "AdjustPeriodicEventStream": reject,
    "GetPeriodicEventStream": no_streams,
    "SetDERControl": not_supported,
    "GetDERControl": not_supported,
    "ClearDERControl": not_supported,
}
