"""Takes secrets out of what is stored and shown of commands: station passwords, network passwords, user info of URLs.

OCPP 2.0.1 A01.FR.09: passwords are not written to logs.
"""

import re

from pydantic import JsonValue

from shared_contracts.message import JsonObject
from shared_contracts.stations import ReportedVariable

MASK = "*****"
_SHORT_MASK = "*"  # no longer than what it replaces: a URL that was short enough stays so

_SECRET_VARIABLES = frozenset({"authorizationkey", "basicauthpassword"})
_SECRET_FIELDS = frozenset({"basicauthpassword", "authorizationkey", "password", "apnpassword", "simpin"})
_VALUE_FIELDS = frozenset({"value", "attributevalue"})
_USER_INFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)[^/\s?#]+@")


def is_secret(name: str) -> bool:
    """Whether a variable or configuration key of this name holds a secret."""
    return name.lower() in _SECRET_VARIABLES


def redacted(document: JsonObject) -> JsonObject:
    """The document with every secret masked, at any depth."""
    secret_fields = _SECRET_FIELDS | _more_secret_fields(document)
    return {
        key: MASK if value is not None and key.lower() in secret_fields else _redact(value)
        for key, value in document.items()
    }


def redacted_variables(variables: tuple[ReportedVariable, ...]) -> tuple[ReportedVariable, ...]:
    """The variables, those that are secrets without their value."""
    return tuple(_without_value(variable) for variable in variables)


def _more_secret_fields(document: JsonObject) -> frozenset[str]:
    """What else is secret in this object: the value beside a secret's name, the key of a VPN (2.0.1 VPNType)."""
    variable = document.get("variable")
    names = (document.get("key"), document.get("name"), variable.get("name") if isinstance(variable, dict) else None)
    if any(isinstance(name, str) and is_secret(name) for name in names):
        return _VALUE_FIELDS
    return frozenset({"key"}) if "server" in document and "user" in document else frozenset()


def _redact(value: JsonValue) -> JsonValue:
    match value:
        case dict():
            return redacted(value)
        case list():
            return [_redact(item) for item in value]
        case str():
            return _without_user_info(value)
        case _:
            return value


def _without_value(variable: ReportedVariable) -> ReportedVariable:
    if variable.value is None:
        return variable
    value = MASK if is_secret(variable.name) else _without_user_info(variable.value)
    return variable.model_copy(update={"value": value})


def _without_user_info(text: str) -> str:
    return _USER_INFO.sub(rf"\1{_SHORT_MASK}@", text)
