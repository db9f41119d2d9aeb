"""What is wrong with a payload, in words that a CALLERROR and an HTTP 400 can both show."""

from dataclasses import dataclass

from jsonschema_rs import ValidationError

from communication_service.ocpp.errors import Fault, Refusal

LONGEST_MESSAGE = 200
"""Characters of a message: it can hold names of properties that a station made up."""

_FAULTS = {
    "required": Fault.OCCURRENCE,
    "minItems": Fault.OCCURRENCE,
    "maxItems": Fault.OCCURRENCE,
    "type": Fault.TYPE,
    "additionalProperties": Fault.FORMAT,
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule of the schema that a payload breaks. The message names no value: it may be an id token."""

    pointer: str
    """RFC 6901, of the value, or of the property that is missing: `/meterValue/0/timestamp`. Empty: the payload."""
    keyword: str
    """Of JSON schema: `required`, `type`, `enum`, `maxLength`, …"""
    message: str

    @property
    def fault(self) -> Fault:
        """Missing and surplus items break an occurrence, values of the wrong kind a type, others a property."""
        return _FAULTS.get(self.keyword, Fault.PROPERTY)

    @property
    def refusal(self) -> Refusal:
        """The CALLERROR that says so."""
        where = self.pointer or "payload"
        return Refusal(self.fault, f"{where}: {self.message}", {"pointer": self.pointer[:LONGEST_MESSAGE]})


def violation(error: ValidationError) -> Violation:
    """A violation, of an error of the validator."""
    path = list(error.instance_path)
    if error.kind.name == "required":
        path.append(error.kind.value)
    return Violation(pointer(path), error.kind.name, error.message[:LONGEST_MESSAGE])


def pointer(path: list[str | int]) -> str:
    """The JSON pointer of a path (RFC 6901 §3)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
