"""The routing tables of each OCPP version."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from communication_service.ocpp.route import CommandRoute, Inbound
from communication_service.ocpp.v16 import routes as v16
from communication_service.ocpp.v21 import routes as v21
from communication_service.ocpp.v201 import routes as v201
from communication_service.ocpp.versions import Version


@dataclass(frozen=True, slots=True)
class Dialect:
    """What stations of a version say, and how they are told things."""

    version: Version
    inbound: Mapping[str, Inbound]
    commands: Mapping[type, CommandRoute[Any]]


DIALECTS: Mapping[str, Dialect] = {
    Version.V16.subprotocol: Dialect(Version.V16, v16.INBOUND, v16.COMMANDS),
    Version.V201.subprotocol: Dialect(Version.V201, v201.INBOUND, v201.COMMANDS),
    Version.V21.subprotocol: Dialect(Version.V21, v21.INBOUND, v21.COMMANDS),
}
"""Subprotocol → dialect."""

TRANSACTIONAL = frozenset({"StartTransaction", "StopTransaction", "MeterValues", "TransactionEvent"})
"""Messages about transactions (OCPP 1.6 §3.7.1, 2.0.1 E13)."""

QUEUED = TRANSACTIONAL | {"SecurityEventNotification"}
"""Never answered with CALLERROR because of our own trouble: stations drop a message that is refused,
but repeat one that is not answered. Security events are queued like transactions (A04.FR.02)."""
