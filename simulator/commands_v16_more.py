"""The commands of OCPP 1.6 beyond the core profile, and those of its security whitepaper."""

from functools import partial
from typing import TYPE_CHECKING

from simulator import actions
from simulator.dialect import Reply
from simulator.frames import Payload
from simulator.memory import Profile
from simulator.meter import stamp

if TYPE_CHECKING:
    from simulator.core import StationCore

LOG_FILE = "simulated.log"


def get_local_list_version(station: "StationCore", payload: Payload) -> Reply:  # noqa: ARG001 - asks nothing
    """GetLocalListVersion, §5.10."""
    return Reply({"listVersion": station.memory.local_list_version})


def send_local_list(station: "StationCore", payload: Payload) -> Reply:
    """SendLocalList, §5.15."""
    entries = {e["idTag"].lower(): e.get("idTagInfo") for e in payload.get("localAuthorizationList", [])}
    newer = station.memory.update_local_list(payload["listVersion"], entries, full=payload["updateType"] == "Full")
    return Reply({"status": "Accepted" if newer else "VersionMismatch"})


def reserve_now(station: "StationCore", payload: Payload) -> Reply:
    """ReserveNow, §5.13; connector 0 means any."""
    wanted = payload["connectorId"] or None
    place = actions.connector_for_start(station, wanted) if wanted is None else station.connectors.get(wanted)
    number = payload["reservationId"]
    status = actions.reserve(place, number)
    if status != "Accepted" or place is None:
        return Reply({"status": status})
    show = partial(actions.show_reservation, station, place, number, payload["expiryDate"], tells_expiry=False)
    return Reply({"status": status}, show)


def cancel_reservation(station: "StationCore", payload: Payload) -> Reply:
    """CancelReservation, §5.1."""
    place = actions.reserved_place(station, payload["reservationId"])
    if place is None:
        return Reply({"status": "Rejected"})
    return Reply({"status": "Accepted"}, partial(actions.lift_reservation, station, place))


def set_charging_profile(station: "StationCore", payload: Payload) -> Reply:
    """SetChargingProfile, §5.16; a TxProfile needs a running charge."""
    profile, place = payload["csChargingProfiles"], payload["connectorId"]
    if not actions.places(station, place):
        return Reply({"status": "Rejected"})
    purpose = profile["chargingProfilePurpose"]
    if purpose == "TxProfile" and (place == 0 or station.connectors[place].charge is None):
        return Reply({"status": "Rejected"})
    number = profile["chargingProfileId"]
    station.memory.profiles[number] = Profile(place, purpose, profile["stackLevel"], profile)
    return Reply({"status": "Accepted"})


def clear_charging_profile(station: "StationCore", payload: Payload) -> Reply:
    """ClearChargingProfile, §5.5."""
    removed = station.memory.remove_profiles(
        number=payload.get("id"),
        place=payload.get("connectorId"),
        purpose=payload.get("chargingProfilePurpose"),
        stack_level=payload.get("stackLevel"),
    )
    return Reply({"status": "Accepted" if removed else "Unknown"})


def get_composite_schedule(station: "StationCore", payload: Payload) -> Reply:
    """GetCompositeSchedule, §5.7: the strongest profile, or the full power of the connector."""
    place, unit = payload["connectorId"], payload.get("chargingRateUnit", "W")
    if not actions.places(station, place):
        return Reply({"status": "Rejected"})
    profile = station.memory.strongest(place)
    periods = [{"startPeriod": 0, "limit": 22_000 if unit == "W" else 32}]
    if profile is not None:
        unit = profile.payload["chargingSchedule"]["chargingRateUnit"]
        periods = profile.payload["chargingSchedule"]["chargingSchedulePeriod"]
    start = stamp(station.clock.now())
    schedule = {
        "duration": payload["duration"],
        "startSchedule": start,
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": periods,
    }
    return Reply({"status": "Accepted", "connectorId": place, "scheduleStart": start, "chargingSchedule": schedule})


def update_firmware(station: "StationCore", payload: Payload) -> Reply:
    """UpdateFirmware, §5.19."""
    then = partial(
        actions.update_firmware,
        station,
        action="FirmwareStatusNotification",
        location=payload["location"],
        when=payload["retrieveDate"],
        signed=False,
    )
    return Reply({}, then)


def signed_update_firmware(station: "StationCore", payload: Payload) -> Reply:
    """SignedUpdateFirmware, whitepaper L01."""
    then = partial(
        actions.update_firmware,
        station,
        action="SignedFirmwareStatusNotification",
        location=payload["firmware"]["location"],
        when=payload["firmware"]["retrieveDateTime"],
        signed=True,
        request_id=payload["requestId"],
    )
    return Reply({"status": "Accepted"}, then)


def get_diagnostics(station: "StationCore", payload: Payload) -> Reply:  # noqa: ARG001 - nothing is uploaded
    """GetDiagnostics, §5.9."""
    return Reply({"fileName": LOG_FILE}, partial(actions.upload_log, station, action="DiagnosticsStatusNotification"))


def get_log(station: "StationCore", payload: Payload) -> Reply:
    """GetLog, whitepaper N01 and OCPP 2.x N01."""
    then = partial(actions.upload_log, station, action="LogStatusNotification", request_id=payload["requestId"])
    return Reply({"status": "Accepted", "filename": LOG_FILE}, then)


def certificate_signed(station: "StationCore", payload: Payload) -> Reply:  # noqa: ARG001 - kept nowhere
    """CertificateSigned, whitepaper A02 and OCPP 2.x A02: refused if it is no PEM."""
    accepted = "BEGIN CERTIFICATE" in payload["certificateChain"]
    return Reply({"status": "Accepted" if accepted else "Rejected"})


def install_certificate(station: "StationCore", payload: Payload) -> Reply:
    """InstallCertificate, whitepaper M05 and OCPP 2.x M05."""
    if "BEGIN CERTIFICATE" not in payload["certificate"]:
        return Reply({"status": "Rejected"})
    station.memory.install_certificate(payload["certificateType"], payload["certificate"])
    return Reply({"status": "Accepted"})


def delete_certificate(station: "StationCore", payload: Payload) -> Reply:
    """DeleteCertificate, whitepaper M04 and OCPP 2.x M04."""
    found = station.memory.delete_certificate(payload["certificateHashData"])
    return Reply({"status": "Accepted" if found else "NotFound"})


def get_installed_certificate_ids(station: "StationCore", payload: Payload) -> Reply:
    """GetInstalledCertificateIds, whitepaper M03."""
    kind = payload["certificateType"]
    found = [c.hash_data for c in station.memory.certificates if c.kind == kind]
    if not found:
        return Reply({"status": "NotFound"})
    return Reply({"status": "Accepted", "certificateHashData": found})
