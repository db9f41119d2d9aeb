"""What follows from a command once it is answered, in either version."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from simulator import charging, telling
from simulator.call import message
from simulator.connector import Connector, State
from simulator.frames import Payload
from simulator.signing import signing_request

if TYPE_CHECKING:
    from simulator.charge import Charge
    from simulator.core import StationCore

STEP_S = 1.0
REMOTE_POWER_W = 11_000


async def start_remotely(
    station: "StationCore", connector: int, id_token: str, remote_start_id: int | None = None
) -> None:
    """Begin a charge that the central system asked for; a refusal is shown by no transaction."""
    try:
        await charging.begin(
            station,
            id_token=id_token,
            connector=connector,
            power_w=REMOTE_POWER_W,
            authorize=station.settings.authorize_remote_start,
            remote_start_id=remote_start_id,
        )
    except (charging.ChargeRefused, charging.ConnectorUnavailable):
        return


def connector_for_start(station: "StationCore", wanted: int | None) -> Connector | None:
    """Return the wanted connector if it is free, or any free one if none is wanted."""
    candidates = station.connectors.values() if wanted is None else [station.connectors.get(wanted)]
    return next((c for c in candidates if c is not None and c.free), None)


def running_charges(station: "StationCore") -> list["Charge"]:
    """Return the charges that draw energy now."""
    return [c.charge for c in station.connectors.values() if c.charge is not None]


async def end_all(station: "StationCore", reason: str) -> None:
    """End all charges in an orderly way."""
    await asyncio.gather(*(charging.end(station, charge, reason=reason) for charge in running_charges(station)))


async def reset_softly(station: "StationCore", stop_reason: str) -> None:
    """End all charges, deliver their stops, and reboot."""
    await end_all(station, stop_reason)
    await station.reboot(reason="RemoteReset", stop_reason=stop_reason)


async def reset_hard(station: "StationCore", stop_reason: str) -> None:
    """Reboot at once; the stops are delivered afterwards."""
    await station.reboot(reason="RemoteReset", stop_reason=stop_reason)


async def reset_when_idle(station: "StationCore") -> None:
    """Reboot when the last charge has ended."""
    while tasks := [charge.task for charge in running_charges(station) if charge.task is not None]:
        await asyncio.wait(tasks)
    await station.reboot(reason="ScheduledReset", stop_reason="Reboot")


def change_availability(places: list[Connector], *, operative: bool) -> str:
    """Mark connectors; returns Scheduled if a charge must end before it takes effect."""
    for place in places:
        place.operative = operative
    return "Scheduled" if any(place.charge is not None for place in places) else "Accepted"


async def show_availability(station: "StationCore", places: list[Connector]) -> None:
    """Let idle connectors show whether they are in service."""
    for place in places:
        if place.charge is None:
            station.set_state(place, place.idle_state())


def reserve(place: Connector | None, reservation_id: int) -> str:
    """Reserve a connector; returns the status of both versions."""
    if place is None:
        return "Occupied"
    if not place.operative:
        return "Unavailable"
    if place.charge is not None or place.reservation_id not in {None, reservation_id}:
        return "Occupied"
    place.reservation_id = reservation_id
    return "Accepted"


def reserved_place(station: "StationCore", reservation_id: int) -> Connector | None:
    """Return the connector that a reservation holds."""
    return next((c for c in station.connectors.values() if c.reservation_id == reservation_id), None)


async def show_reservation(
    station: "StationCore", place: Connector, reservation_id: int, expires: str, *, tells_expiry: bool
) -> None:
    """Show a reservation, and lift it when it expires unused."""
    station.set_state(place, State.RESERVED)
    await station.clock.sleep_until(instant(expires))
    if place.reservation_id != reservation_id:
        return
    await lift_reservation(station, place)
    if tells_expiry:
        status = {"reservationId": reservation_id, "reservationUpdateStatus": "Expired"}
        station.sender.say(message("ReservationStatusUpdate", status))


async def lift_reservation(station: "StationCore", place: Connector) -> None:
    """Make a reserved connector available again."""
    place.reservation_id = None
    if place.charge is None:
        station.set_state(place, place.idle_state())


async def update_firmware(
    station: "StationCore",
    *,
    action: str,
    location: str,
    when: str,
    signed: bool,
    request_id: int | None = None,
) -> None:
    """Report the steps of a firmware update; the next boot shows the new version."""
    extra = {} if request_id is None else {"requestId": request_id}
    await station.clock.sleep_until(instant(when))
    verified = ("SignatureVerified",) if signed else ()
    for status in ("Downloading", "Downloaded", *verified, "Installing", "Installed"):
        station.memory.firmware_status = status
        await _report(station, action, {"status": status, **extra})
    station.identity = replace(station.identity, firmware=location.rsplit("/", 1)[-1][:50] or "unknown")


async def upload_log(station: "StationCore", *, action: str, request_id: int | None = None) -> None:
    """Report the steps of an upload; nothing is uploaded."""
    extra = {} if request_id is None else {"requestId": request_id}
    for status in ("Uploading", "Uploaded"):
        station.memory.log_status = status
        await _report(station, action, {"status": status, **extra})
    station.memory.log_status = "Idle"


async def _report(station: "StationCore", action: str, payload: Payload) -> None:
    """Send one step and take the time it needs."""
    call = station.sender.say(message(action, payload))
    await call.tried.wait()
    await asyncio.sleep(station.clock.real(STEP_S))


async def say(station: "StationCore", action: str, payload: Payload) -> None:
    """Send what a trigger asked for."""
    station.sender.say(message(action, payload), forced=True)


async def ask_for_certificate(station: "StationCore") -> None:
    """Send the SignCertificate a trigger asked for."""
    await say(station, "SignCertificate", {"csr": signing_request(station.station_id)})


async def boot_again(station: "StationCore") -> None:
    """Send the BootNotification a trigger asked for."""
    station.sender.say(station.dialect.boot(station.identity, "Triggered"), forced=True)


async def announce_again(station: "StationCore", places: list[Connector]) -> None:
    """Send the StatusNotifications a trigger asked for."""
    for place in places:
        station.announce(place, forced=True)


async def read_again(station: "StationCore", places: list[Connector]) -> None:
    """Send the meter values a trigger asked for: of the transaction if there is one."""
    for place in places:
        if place.charge is None:
            telling.read_loose(station, place)
        else:
            telling.sample(station, place.charge, at=station.clock.now(), context=telling.TRIGGERED)


def places(station: "StationCore", number: int | None) -> list[Connector]:
    """Return the connector of this number, or all for none or 0; empty if there is no such."""
    if not number:
        return list(station.connectors.values())
    place = station.connectors.get(number)
    return [] if place is None else [place]


def instant(text: str) -> datetime:
    """Read a time; one without a zone is taken as UTC."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
