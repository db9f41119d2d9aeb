"""The remaining commands of OCPP 2.x: lists, reservations, firmware, customers, displays, certificates."""

from functools import partial
from typing import TYPE_CHECKING

from simulator import actions, telling
from simulator.call import message
from simulator.connector import Connector
from simulator.dialect import Reply
from simulator.frames import Payload
from simulator.meter import stamp

if TYPE_CHECKING:
    from simulator.core import StationCore


async def read_outside(station: "StationCore", places: list[Connector]) -> None:
    """Send MeterValues, which in 2.x never belong to a transaction."""
    for place in places:
        telling.read_loose(station, place)


def get_local_list_version(station: "StationCore", payload: Payload) -> Reply:  # noqa: ARG001 - asks nothing
    """GetLocalListVersion, D02."""
    return Reply({"versionNumber": station.memory.local_list_version})


def send_local_list(station: "StationCore", payload: Payload) -> Reply:
    """SendLocalList, D01."""
    entries = {
        entry["idToken"]["idToken"].lower(): entry.get("idTokenInfo")
        for entry in payload.get("localAuthorizationList", [])
    }
    newer = station.memory.update_local_list(payload["versionNumber"], entries, full=payload["updateType"] == "Full")
    return Reply({"status": "Accepted" if newer else "VersionMismatch"})


def reserve_now(station: "StationCore", payload: Payload) -> Reply:
    """ReserveNow, H01; without an EVSE any free one is taken."""
    wanted, number = payload.get("evseId"), payload["id"]
    place = actions.connector_for_start(station, None) if wanted is None else station.connectors.get(wanted)
    status = actions.reserve(place, number)
    if status != "Accepted" or place is None:
        return Reply({"status": status})
    expires = payload["expiryDateTime"]
    show = partial(actions.show_reservation, station, place, number, expires, tells_expiry=True)
    return Reply({"status": status}, show)


def update_firmware(station: "StationCore", payload: Payload) -> Reply:
    """UpdateFirmware, L01 and L02."""
    firmware = payload["firmware"]
    then = partial(
        actions.update_firmware,
        station,
        action="FirmwareStatusNotification",
        location=firmware["location"],
        when=firmware["retrieveDateTime"],
        signed="signature" in firmware,
        request_id=payload["requestId"],
    )
    return Reply({"status": "Accepted"}, then)


def publish_firmware(station: "StationCore", payload: Payload) -> Reply:
    """PublishFirmware, L03."""
    then = partial(_publish, station, payload["requestId"], payload["checksum"], payload["location"])
    return Reply({"status": "Accepted"}, then)


async def _publish(station: "StationCore", request_id: int, checksum: str, location: str) -> None:
    """Report the steps of publishing a firmware on the local network."""
    for status in ("Downloading", "Downloaded", "ChecksumVerified", "Published"):
        step: Payload = {"status": status, "requestId": request_id}
        if status == "Published":
            step["location"] = [location]
            station.memory.published_firmware.add(checksum)
        await station.sender.say(message("PublishFirmwareStatusNotification", step)).tried.wait()


def unpublish_firmware(station: "StationCore", payload: Payload) -> Reply:
    """UnpublishFirmware, L04."""
    if payload["checksum"] not in station.memory.published_firmware:
        return Reply({"status": "NoFirmware"})
    station.memory.published_firmware.remove(payload["checksum"])
    return Reply({"status": "Unpublished"})


def customer_information(station: "StationCore", payload: Payload) -> Reply:
    """CustomerInformation, N09 and N10: the station keeps none."""
    if not payload["report"]:
        return Reply({"status": "Accepted"})
    report = {
        "data": "",
        "seqNo": 0,
        "generatedAt": stamp(station.clock.now()),
        "requestId": payload["requestId"],
    }
    return Reply({"status": "Accepted"}, partial(actions.say, station, "NotifyCustomerInformation", report))


def cost_updated(station: "StationCore", payload: Payload) -> Reply:  # noqa: ARG001 - there is no display
    """CostUpdated, I02."""
    return Reply({})


def set_display_message(station: "StationCore", payload: Payload) -> Reply:
    """SetDisplayMessage, O01 and O02."""
    station.memory.display_messages[payload["message"]["id"]] = payload["message"]
    return Reply({"status": "Accepted"})


def get_display_messages(station: "StationCore", payload: Payload) -> Reply:
    """GetDisplayMessages, O03 and O04: they follow in NotifyDisplayMessages."""
    wanted = payload.get("id")
    found = [
        m
        for m in station.memory.display_messages.values()
        if (wanted is None or m["id"] in wanted)
        and payload.get("priority") in {None, m["priority"]}
        and payload.get("state") in {None, m.get("state")}
    ]
    if not found:
        return Reply({"status": "Unknown"})
    report = {"requestId": payload["requestId"], "messageInfo": found}
    return Reply({"status": "Accepted"}, partial(actions.say, station, "NotifyDisplayMessages", report))


def clear_display_message(station: "StationCore", payload: Payload) -> Reply:
    """ClearDisplayMessage, O05."""
    removed = station.memory.display_messages.pop(payload["id"], None)
    return Reply({"status": "Unknown" if removed is None else "Accepted"})


def get_installed_certificate_ids(station: "StationCore", payload: Payload) -> Reply:
    """GetInstalledCertificateIds, M03."""
    wanted = payload.get("certificateType")
    found = [
        {"certificateType": c.kind, "certificateHashData": c.hash_data}
        for c in station.memory.certificates
        if wanted is None or c.kind in wanted
    ]
    if not found:
        return Reply({"status": "NotFound"})
    return Reply({"status": "Accepted", "certificateHashDataChain": found})
