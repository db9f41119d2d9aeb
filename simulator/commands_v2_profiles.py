"""The smart charging commands of OCPP 2.x (functional block K)."""

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING

from simulator import actions
from simulator.call import message
from simulator.dialect import Reply
from simulator.frames import Payload
from simulator.memory import Profile
from simulator.meter import stamp

if TYPE_CHECKING:
    from simulator.core import StationCore


def set_charging_profile(station: "StationCore", payload: Payload) -> Reply:
    """SetChargingProfile, K01; a TxProfile needs the running transaction it names."""
    profile, evse = payload["chargingProfile"], payload["evseId"]
    purpose = profile["chargingProfilePurpose"]
    if not actions.places(station, evse) or (purpose == "TxProfile" and not _fits(station, evse, profile)):
        return Reply({"status": "Rejected"})
    station.memory.profiles[profile["id"]] = Profile(evse, purpose, profile["stackLevel"], profile)
    return Reply({"status": "Accepted"})


def _fits(station: "StationCore", evse: int, profile: Payload) -> bool:
    """Whether the EVSE has the transaction of a TxProfile."""
    place = station.connectors.get(evse)
    charge = place.charge if place is not None else None
    return charge is not None and charge.record.station_transaction_id == profile.get("transactionId")


def clear_charging_profile(station: "StationCore", payload: Payload) -> Reply:
    """ClearChargingProfile, K10."""
    criteria = payload.get("chargingProfileCriteria", {})
    removed = station.memory.remove_profiles(
        number=payload.get("chargingProfileId"),
        place=criteria.get("evseId"),
        purpose=criteria.get("chargingProfilePurpose"),
        stack_level=criteria.get("stackLevel"),
    )
    return Reply({"status": "Accepted" if removed else "Unknown"})


def get_charging_profiles(station: "StationCore", payload: Payload) -> Reply:
    """GetChargingProfiles, K09: the profiles follow in ReportChargingProfiles, EVSE by EVSE."""
    criteria = payload["chargingProfile"]
    found = station.memory.matching(
        payload.get("evseId"), criteria.get("chargingProfilePurpose"), criteria.get("stackLevel")
    )
    if (wanted := criteria.get("chargingProfileId")) is not None:
        found = [number for number in found if number in wanted]
    if not found:
        return Reply({"status": "NoProfiles"})
    profiles = [station.memory.profiles[number] for number in found]
    return Reply({"status": "Accepted"}, partial(_report, station, payload["requestId"], profiles))


async def _report(station: "StationCore", request_id: int, profiles: list[Profile]) -> None:
    """Send one ReportChargingProfiles per EVSE."""
    by_evse: dict[int, list[Payload]] = defaultdict(list)
    for profile in profiles:
        by_evse[profile.place].append(profile.payload)
    for remaining, (evse, payloads) in zip(reversed(range(len(by_evse))), by_evse.items(), strict=True):
        report = {
            "requestId": request_id,
            "chargingLimitSource": "CSO",
            "evseId": evse,
            "tbc": remaining > 0,
            "chargingProfile": payloads,
        }
        await station.sender.say(message("ReportChargingProfiles", report)).tried.wait()


def get_composite_schedule(station: "StationCore", payload: Payload) -> Reply:
    """GetCompositeSchedule, K08: the strongest profile, or the full power of the EVSE."""
    evse, unit = payload["evseId"], payload.get("chargingRateUnit", "W")
    if not actions.places(station, evse):
        return Reply({"status": "Rejected"})
    periods: list[Payload] = [{"startPeriod": 0, "limit": 22_000 if unit == "W" else 32}]
    if (profile := station.memory.strongest(evse)) is not None:
        strongest = profile.payload["chargingSchedule"][0]
        unit, periods = strongest["chargingRateUnit"], strongest["chargingSchedulePeriod"]
    schedule = {
        "evseId": evse,
        "duration": payload["duration"],
        "scheduleStart": stamp(station.clock.now()),
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": periods,
    }
    return Reply({"status": "Accepted", "schedule": schedule})
