"""The routes of OCPP 1.6: what a station may say, and what it can be told."""

from collections.abc import Mapping
from typing import Any

from communication_service.ocpp.route import CommandRoute, Inbound
from communication_service.ocpp.v16 import charging, charging_profiles, configuration, files, operation, security
from communication_service.ocpp.v16.authorize import authorize
from communication_service.ocpp.v16.boot_notification import boot_notification
from communication_service.ocpp.v16.data_transfer import data_transfer
from communication_service.ocpp.v16.heartbeat import heartbeat
from communication_service.ocpp.v16.meter_values import meter_values
from communication_service.ocpp.v16.progress import firmware_status, log_status
from communication_service.ocpp.v16.start_transaction import start_transaction
from communication_service.ocpp.v16.status_notification import status_notification
from communication_service.ocpp.v16.stop_transaction import stop_transaction
from communication_service.ocpp.verdicts import by_status
from shared_contracts import commands

INBOUND: Mapping[str, Inbound] = {
    "Authorize": authorize,
    "BootNotification": boot_notification,
    "DataTransfer": data_transfer,
    "DiagnosticsStatusNotification": log_status,
    "FirmwareStatusNotification": firmware_status,
    "Heartbeat": heartbeat,
    "LogStatusNotification": log_status,
    "MeterValues": meter_values,
    "SecurityEventNotification": security.security_event,
    "SignCertificate": security.sign_certificate,
    "SignedFirmwareStatusNotification": firmware_status,
    "StartTransaction": start_transaction,
    "StatusNotification": status_notification,
    "StopTransaction": stop_transaction,
}
"""What to do about each action of a station."""

COMMANDS: Mapping[type, CommandRoute[Any]] = {
    commands.StartCharging: CommandRoute(charging.remote_start, by_status),
    commands.StopCharging: CommandRoute(charging.remote_stop, by_status),
    commands.ResetStation: CommandRoute(operation.reset, by_status),
    commands.UnlockConnector: CommandRoute(operation.unlock_connector, by_status),
    commands.TriggerMessage: CommandRoute(operation.trigger_message, by_status),
    commands.ChangeAvailability: CommandRoute(operation.change_availability, by_status),
    commands.GetVariables: CommandRoute(configuration.get_configuration, configuration.configuration),
    commands.SetVariables: CommandRoute(configuration.change_configuration, configuration.configuration_changed),
    commands.SetChargingProfile: CommandRoute(charging_profiles.set_charging_profile, by_status),
    commands.ClearChargingProfile: CommandRoute(charging_profiles.clear_charging_profile, by_status),
    commands.UpdateFirmware: CommandRoute(files.update_firmware, files.firmware_answered),
    commands.GetLog: CommandRoute(files.get_log, files.log_answered),
    commands.InstallCertificate: CommandRoute(security.certificate_signed, by_status),
}
"""How to say each command, and how to read the answer."""
