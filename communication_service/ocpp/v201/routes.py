"""The routes of OCPP 2.0.1: what a station may say, and what it can be told."""

from collections.abc import Mapping
from typing import Any

from communication_service.ocpp.route import CommandRoute, Inbound
from communication_service.ocpp.v16.heartbeat import heartbeat
from communication_service.ocpp.v16.progress import firmware_status, log_status
from communication_service.ocpp.v16.security import security_event
from communication_service.ocpp.v201 import certificates, charging, charging_profiles, files, operation, variables
from communication_service.ocpp.v201.authorize import authorize
from communication_service.ocpp.v201.boot_notification import boot_notification
from communication_service.ocpp.v201.data_transfer import data_transfer
from communication_service.ocpp.v201.meter_values import meter_values
from communication_service.ocpp.v201.notification import notification
from communication_service.ocpp.v201.notify_report import notify_report
from communication_service.ocpp.v201.status_notification import status_notification
from communication_service.ocpp.v201.transaction_event import transaction_event
from communication_service.ocpp.verdicts import by_status
from shared_contracts import commands

INBOUND: Mapping[str, Inbound] = {
    "Authorize": authorize,
    "BootNotification": boot_notification,
    "ClearedChargingLimit": notification("ClearedChargingLimit"),
    "DataTransfer": data_transfer,
    "FirmwareStatusNotification": firmware_status,
    "Heartbeat": heartbeat,
    "LogStatusNotification": log_status,
    "MeterValues": meter_values,
    "NotifyChargingLimit": notification("NotifyChargingLimit"),
    "NotifyCustomerInformation": notification("NotifyCustomerInformation"),
    "NotifyDisplayMessages": notification("NotifyDisplayMessages"),
    "NotifyEvent": notification("NotifyEvent"),
    "NotifyMonitoringReport": notification("NotifyMonitoringReport"),
    "NotifyReport": notify_report,
    "PublishFirmwareStatusNotification": notification("PublishFirmwareStatusNotification"),
    "ReportChargingProfiles": notification("ReportChargingProfiles"),
    "ReservationStatusUpdate": notification("ReservationStatusUpdate"),
    "SecurityEventNotification": security_event,
    "SignCertificate": certificates.sign_certificate,
    "StatusNotification": status_notification,
    "TransactionEvent": transaction_event,
}
"""What to do about each action of a station. What is absent needs an answer that nobody here can give."""

COMMANDS: Mapping[type, CommandRoute[Any]] = {
    commands.StartCharging: CommandRoute(charging.request_start, by_status),
    commands.StopCharging: CommandRoute(charging.request_stop, by_status),
    commands.ResetStation: CommandRoute(operation.reset, by_status),
    commands.UnlockConnector: CommandRoute(operation.unlock_connector, by_status),
    commands.TriggerMessage: CommandRoute(operation.trigger_message, by_status),
    commands.ChangeAvailability: CommandRoute(operation.change_availability, by_status),
    commands.GetVariables: CommandRoute(variables.get_variables, variables.variables_got),
    commands.SetVariables: CommandRoute(variables.set_variables, variables.variables_set),
    commands.SetChargingProfile: CommandRoute(charging_profiles.set_charging_profile, by_status),
    commands.ClearChargingProfile: CommandRoute(charging_profiles.clear_charging_profile, by_status),
    commands.UpdateFirmware: CommandRoute(files.update_firmware, by_status),
    commands.GetLog: CommandRoute(files.get_log, by_status),
    commands.InstallCertificate: CommandRoute(certificates.certificate_signed, by_status),
}
"""How to say each command, and how to read the answer."""
