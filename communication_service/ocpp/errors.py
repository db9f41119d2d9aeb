"""What can be wrong with a message, and the error code that each version of OCPP-J has for it.

Faults are neutral; only `wire_code` knows the spelling. OCPP-J 1.6 §4.2.3 (the errata keep its two misspelt
codes: "do not fix, this is a message level change"); OCPP-J 2.0.1 and 2.1 §4.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from communication_service.ocpp.versions import Version

LONGEST_DESCRIPTION = 255
"""Characters in an errorDescription (OCPP-J 2.0.1 §4.2.3)."""


class Fault(StrEnum):
    """Why a message is refused, whatever the version."""

    UNKNOWN_ACTION = "unknown_action"
    UNSUPPORTED_ACTION = "unsupported_action"
    INTERNAL = "internal"
    PROTOCOL = "protocol"
    SECURITY = "security"
    FORMAT = "format"
    PROPERTY = "property"
    OCCURRENCE = "occurrence"
    TYPE = "type"
    GENERIC = "generic"
    MESSAGE_TYPE = "message_type"
    FRAMEWORK = "framework"

    __hash__ = str.__hash__


_CODES_2X: dict[Fault, str] = {
    Fault.UNKNOWN_ACTION: "NotImplemented",
    Fault.UNSUPPORTED_ACTION: "NotSupported",
    Fault.INTERNAL: "InternalError",
    Fault.PROTOCOL: "ProtocolError",
    Fault.SECURITY: "SecurityError",
    Fault.FORMAT: "FormatViolation",
    Fault.PROPERTY: "PropertyConstraintViolation",
    Fault.OCCURRENCE: "OccurrenceConstraintViolation",
    Fault.TYPE: "TypeConstraintViolation",
    Fault.GENERIC: "GenericError",
    Fault.MESSAGE_TYPE: "MessageTypeNotSupported",
    Fault.FRAMEWORK: "RpcFrameworkError",
}
_CODES_16: dict[Fault, str] = _CODES_2X | {
    Fault.FORMAT: "FormationViolation",
    Fault.OCCURRENCE: "OccurenceConstraintViolation",
    Fault.MESSAGE_TYPE: "FormationViolation",
    Fault.FRAMEWORK: "FormationViolation",
}


def wire_code(fault: Fault, version: Version) -> str:
    """The error code of this version for a fault, spelt as on the wire."""
    return (_CODES_16 if version is Version.V16 else _CODES_2X)[fault]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a CALL is answered with CALLERROR. A longer description is cut to what the specification allows."""

    fault: Fault
    description: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.description) > LONGEST_DESCRIPTION:
            object.__setattr__(self, "description", self.description[: LONGEST_DESCRIPTION - 1] + "…")

    def code(self, version: Version) -> str:
        """The error code of this refusal in a version."""
        return wire_code(self.fault, version)
