"""The commands of OCPP 1.6 that a station obeys (OCPP 1.6 §5): the core profile, and the table of all."""

from functools import partial
from typing import TYPE_CHECKING

from simulator import actions, charging
from simulator import commands_v16_more as more
from simulator.dialect import Handler, Reply
from simulator.frames import Payload
from simulator.variables import Variable

if TYPE_CHECKING:
    from simulator.core import StationCore


def remote_start(station: "StationCore", payload: Payload) -> Reply:
    """RemoteStartTransaction, §5.11."""
    place = actions.connector_for_start(station, payload.get("connectorId"))
    if place is None:
        return Reply({"status": "Rejected"})
    return Reply({"status": "Accepted"}, partial(actions.start_remotely, station, place.number, payload["idTag"]))


def remote_stop(station: "StationCore", payload: Payload) -> Reply:
    """RemoteStopTransaction, §5.12."""
    wanted = payload["transactionId"]
    for charge in actions.running_charges(station):
        if charge.record.csms_transaction_id == wanted:
            return Reply({"status": "Accepted"}, partial(charging.end, station, charge, reason="Remote"))
    return Reply({"status": "Rejected"})


def reset(station: "StationCore", payload: Payload) -> Reply:
    """Reset, §5.14."""
    if payload["type"] == "Soft":
        return Reply({"status": "Accepted"}, partial(actions.reset_softly, station, "SoftReset"))
    return Reply({"status": "Accepted"}, partial(actions.reset_hard, station, "HardReset"))


def unlock(station: "StationCore", payload: Payload) -> Reply:
    """UnlockConnector, §5.18: a running charge is ended first."""
    connector = station.connectors.get(payload["connectorId"])
    if connector is None:
        return Reply({"status": "NotSupported"})
    if connector.charge is None:
        return Reply({"status": "Unlocked"})
    end = partial(charging.end, station, connector.charge, reason="UnlockCommand")
    return Reply({"status": "Unlocked"}, end)


def change_availability(station: "StationCore", payload: Payload) -> Reply:
    """ChangeAvailability, §5.2."""
    places = actions.places(station, payload["connectorId"])
    if not places:
        return Reply({"status": "Rejected"})
    status = actions.change_availability(places, operative=payload["type"] == "Operative")
    return Reply({"status": status}, partial(actions.show_availability, station, places))


def get_configuration(station: "StationCore", payload: Payload) -> Reply:
    """GetConfiguration, §5.8."""
    wanted = payload.get("key") or [variable.name for variable in station.store]
    found = [v for v in (station.store.find(name) for name in wanted) if v is not None]
    unknown = [name for name in wanted if station.store.find(name) is None]
    return Reply({"configurationKey": [_entry(station, v) for v in found], "unknownKey": unknown})


def _entry(station: "StationCore", variable: Variable) -> Payload:
    """Return a configuration key; a secret is not read back."""
    entry: Payload = {"key": variable.name, "readonly": variable.readonly}
    return entry if variable.write_only else entry | {"value": station.store.read(variable)[:500]}


def change_configuration(station: "StationCore", payload: Payload) -> Reply:
    """ChangeConfiguration, §5.3."""
    variable = station.store.find(payload["key"])
    if variable is None:
        return Reply({"status": "NotSupported"})
    if variable.readonly or not station.store.write(variable, payload["value"]):
        return Reply({"status": "Rejected"})
    return Reply({"status": "RebootRequired" if variable.needs_reboot else "Accepted"})


def data_transfer(station: "StationCore", payload: Payload) -> Reply:
    """DataTransfer, §5.6: echoes what its own vendor sends."""
    if payload["vendorId"] != station.identity.vendor:
        return Reply({"status": "UnknownVendorId"})
    return Reply({"status": "Accepted", **({"data": payload["data"]} if "data" in payload else {})})


def trigger(station: "StationCore", payload: Payload) -> Reply:
    """TriggerMessage and ExtendedTriggerMessage, §5.17 and whitepaper A05: the message is really sent."""
    places = actions.places(station, payload.get("connectorId"))
    if not places:
        return Reply({"status": "Rejected"})
    memory = station.memory
    follow_ups = {
        "BootNotification": partial(actions.boot_again, station),
        "Heartbeat": partial(actions.say, station, "Heartbeat", {}),
        "StatusNotification": partial(actions.announce_again, station, places),
        "MeterValues": partial(actions.read_again, station, places),
        "FirmwareStatusNotification": partial(
            actions.say, station, "FirmwareStatusNotification", {"status": memory.firmware_status}
        ),
        "DiagnosticsStatusNotification": partial(
            actions.say, station, "DiagnosticsStatusNotification", {"status": memory.log_status}
        ),
        "LogStatusNotification": partial(actions.say, station, "LogStatusNotification", {"status": memory.log_status}),
        "SignChargePointCertificate": partial(actions.ask_for_certificate, station),
    }
    then = follow_ups.get(payload["requestedMessage"])
    return Reply({"status": "NotImplemented" if then is None else "Accepted"}, then)


def clear_cache(station: "StationCore", payload: Payload) -> Reply:  # noqa: ARG001 - there is no cache
    """ClearCache, §5.4."""
    return Reply({"status": "Accepted"})


TABLE: dict[str, Handler] = {
    "RemoteStartTransaction": remote_start,
    "RemoteStopTransaction": remote_stop,
    "Reset": reset,
    "UnlockConnector": unlock,
    "ChangeAvailability": change_availability,
    "GetConfiguration": get_configuration,
    "ChangeConfiguration": change_configuration,
    "DataTransfer": data_transfer,
    "TriggerMessage": trigger,
    "ExtendedTriggerMessage": trigger,
    "ClearCache": clear_cache,
    "GetLocalListVersion": more.get_local_list_version,
    "SendLocalList": more.send_local_list,
    "ReserveNow": more.reserve_now,
    "CancelReservation": more.cancel_reservation,
    "SetChargingProfile": more.set_charging_profile,
    "ClearChargingProfile": more.clear_charging_profile,
    "GetCompositeSchedule": more.get_composite_schedule,
    "UpdateFirmware": more.update_firmware,
    "SignedUpdateFirmware": more.signed_update_firmware,
    "GetDiagnostics": more.get_diagnostics,
    "GetLog": more.get_log,
    "CertificateSigned": more.certificate_signed,
    "InstallCertificate": more.install_certificate,
    "DeleteCertificate": more.delete_certificate,
    "GetInstalledCertificateIds": more.get_installed_certificate_ids,
}
