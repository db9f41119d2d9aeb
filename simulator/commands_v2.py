"""The commands of OCPP 2.0.1 that a station obeys: transactions, reset, availability; and the table of all."""

from functools import partial
from typing import TYPE_CHECKING

from simulator import (
    actions,
    charging,
)
from simulator import (
    commands_v2_device as device,
)
from simulator import (
    commands_v2_more as more,
)
from simulator import (
    commands_v2_profiles as profiles,
)
from simulator import (
    commands_v16_more as shared,
)
from simulator.charge import Charge
from simulator.commands_v16 import clear_cache, data_transfer
from simulator.dialect import Handler, Reply
from simulator.frames import Payload
from simulator.memory import Profile

if TYPE_CHECKING:
    from simulator.core import StationCore


def request_start(station: "StationCore", payload: Payload) -> Reply:
    """RequestStartTransaction, F01 and F02."""
    place = actions.connector_for_start(station, payload.get("evseId"))
    if place is None:
        return Reply({"status": "Rejected"})
    if (profile := payload.get("chargingProfile")) is not None:
        station.memory.profiles[profile["id"]] = Profile(
            place.number, profile["chargingProfilePurpose"], profile["stackLevel"], profile
        )
    token, number = payload["idToken"]["idToken"], payload["remoteStartId"]
    then = partial(actions.start_remotely, station, place.number, token, number)
    return Reply({"status": "Accepted"}, then)


def request_stop(station: "StationCore", payload: Payload) -> Reply:
    """RequestStopTransaction, F03."""
    charge = find_charge(station, payload["transactionId"])
    if charge is None:
        return Reply({"status": "Rejected"})
    return Reply({"status": "Accepted"}, partial(charging.end, station, charge, reason="Remote"))


def find_charge(station: "StationCore", transaction_id: str) -> Charge | None:
    """Return the running charge with this id."""
    charges = actions.running_charges(station)
    return next((c for c in charges if c.record.station_transaction_id == transaction_id), None)


def get_transaction_status(station: "StationCore", payload: Payload) -> Reply:
    """GetTransactionStatus, E14."""
    queued = [call.transaction for call in station.sender.queue if call.transaction is not None]
    if (wanted := payload.get("transactionId")) is None:
        return Reply({"messagesInQueue": bool(queued)})
    in_queue = any(record.station_transaction_id == wanted for record in queued)
    ongoing = find_charge(station, wanted) is not None
    return Reply({"ongoingIndicator": ongoing, "messagesInQueue": in_queue})


def reset(station: "StationCore", payload: Payload) -> Reply:
    """Reset, B11 and B12; the reset of one EVSE only ends its charge."""
    running = actions.running_charges(station)
    if (evse := payload.get("evseId")) is not None:
        place = station.connectors.get(evse)
        if place is None:
            return Reply({"status": "Rejected"})
        if place.charge is None:
            return Reply({"status": "Accepted"})
        return Reply({"status": "Accepted"}, partial(charging.end, station, place.charge, reason="ImmediateReset"))
    if payload["type"] == "OnIdle" and running:
        return Reply({"status": "Scheduled"}, partial(actions.reset_when_idle, station))
    return Reply({"status": "Accepted"}, partial(actions.reset_hard, station, "ImmediateReset"))


def unlock(station: "StationCore", payload: Payload) -> Reply:
    """UnlockConnector, F05: never during an authorized transaction."""
    connector = station.connectors.get(payload["evseId"])
    if connector is None or payload["connectorId"] != 1:
        return Reply({"status": "UnknownConnector"})
    busy = connector.charge is not None
    return Reply({"status": "OngoingAuthorizedTransaction" if busy else "Unlocked"})


def change_availability(station: "StationCore", payload: Payload) -> Reply:
    """ChangeAvailability, G03 and G04."""
    places = actions.places(station, payload.get("evse", {}).get("id"))
    if not places:
        return Reply({"status": "Rejected"})
    operative = payload["operationalStatus"] == "Operative"
    status = actions.change_availability(places, operative=operative)
    return Reply({"status": status}, partial(actions.show_availability, station, places))


def trigger(station: "StationCore", payload: Payload) -> Reply:
    """TriggerMessage, F06: the message is really sent."""
    places = actions.places(station, payload.get("evse", {}).get("id"))
    wanted = payload["requestedMessage"]
    running = [place for place in places if place.charge is not None]
    if not places or (wanted == "TransactionEvent" and not running):
        return Reply({"status": "Rejected"})
    memory = station.memory
    follow_ups = {
        "BootNotification": partial(actions.boot_again, station),
        "Heartbeat": partial(actions.say, station, "Heartbeat", {}),
        "StatusNotification": partial(actions.announce_again, station, places),
        "MeterValues": partial(more.read_outside, station, places),
        "TransactionEvent": partial(actions.read_again, station, running),
        "FirmwareStatusNotification": partial(
            actions.say, station, "FirmwareStatusNotification", {"status": memory.firmware_status}
        ),
        "PublishFirmwareStatusNotification": partial(
            actions.say, station, "PublishFirmwareStatusNotification", {"status": "Idle"}
        ),
        "LogStatusNotification": partial(actions.say, station, "LogStatusNotification", {"status": memory.log_status}),
        "SignChargingStationCertificate": partial(actions.ask_for_certificate, station),
    }
    then = follow_ups.get(wanted)
    return Reply({"status": "NotImplemented" if then is None else "Accepted"}, then)


TABLE: dict[str, Handler] = {
    "RequestStartTransaction": request_start,
    "RequestStopTransaction": request_stop,
    "GetTransactionStatus": get_transaction_status,
    "Reset": reset,
    "UnlockConnector": unlock,
    "ChangeAvailability": change_availability,
    "TriggerMessage": trigger,
    "ClearCache": clear_cache,
    "DataTransfer": data_transfer,
    "GetVariables": device.get_variables,
    "SetVariables": device.set_variables,
    "GetBaseReport": device.get_base_report,
    "GetReport": device.get_report,
    "SetVariableMonitoring": device.set_variable_monitoring,
    "ClearVariableMonitoring": device.clear_variable_monitoring,
    "GetMonitoringReport": device.get_monitoring_report,
    "SetMonitoringBase": device.set_monitoring_base,
    "SetMonitoringLevel": device.set_monitoring_level,
    "SetNetworkProfile": device.set_network_profile,
    "SetChargingProfile": profiles.set_charging_profile,
    "ClearChargingProfile": profiles.clear_charging_profile,
    "GetChargingProfiles": profiles.get_charging_profiles,
    "GetCompositeSchedule": profiles.get_composite_schedule,
    "GetLocalListVersion": more.get_local_list_version,
    "SendLocalList": more.send_local_list,
    "ReserveNow": more.reserve_now,
    "CancelReservation": shared.cancel_reservation,
    "UpdateFirmware": more.update_firmware,
    "PublishFirmware": more.publish_firmware,
    "UnpublishFirmware": more.unpublish_firmware,
    "GetLog": shared.get_log,
    "CustomerInformation": more.customer_information,
    "CostUpdated": more.cost_updated,
    "SetDisplayMessage": more.set_display_message,
    "GetDisplayMessages": more.get_display_messages,
    "ClearDisplayMessage": more.clear_display_message,
    "CertificateSigned": shared.certificate_signed,
    "InstallCertificate": shared.install_certificate,
    "DeleteCertificate": shared.delete_certificate,
    "GetInstalledCertificateIds": more.get_installed_certificate_ids,
}
