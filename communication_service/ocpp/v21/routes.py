"""The routes of OCPP 2.1: those of 2.0.1, and what is new."""

from collections.abc import Mapping
from typing import Any

from communication_service.ocpp.route import CommandRoute, Inbound
from communication_service.ocpp.v21.trigger_message import trigger_message
from communication_service.ocpp.v201 import routes as v201
from communication_service.ocpp.v201.notification import notification
from communication_service.ocpp.verdicts import by_status
from shared_contracts import commands

INBOUND: Mapping[str, Inbound] = {
    **v201.INBOUND,
    "BatterySwap": notification("BatterySwap"),
    "ClosePeriodicEventStream": notification("ClosePeriodicEventStream"),
    "NotifyDERAlarm": notification("NotifyDERAlarm"),
    "NotifyDERStartStop": notification("NotifyDERStartStop"),
    "NotifyPriorityCharging": notification("NotifyPriorityCharging"),
    "NotifySettlement": notification("NotifySettlement"),
    "ReportDERControl": notification("ReportDERControl"),
}
"""What to do about each action of a station."""

COMMANDS: Mapping[type, CommandRoute[Any]] = {
    **v201.COMMANDS,
    commands.TriggerMessage: CommandRoute(trigger_message, by_status),
}
"""How to say each command, and how to read the answer."""
