"""Takes secrets out of what is stored and shown of commands: passwords of stations and networks, user info of URLs."""

from pydantic import JsonValue

from modules.kernel.secrets import MASK, is_secret, masked_value, without_user_info
from shared_contracts.message import JsonObject
from shared_contracts.stations import ReportedVariable

_SECRET_FIELDS = frozenset({"basicauthpassword", "authorizationkey", "password", "apnpassword", "simpin"})
_VALUE_FIELDS = frozenset({"value", "attributevalue"})


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
            return without_user_info(value)
        case _:
            return value


def _without_value(variable: ReportedVariable) -> ReportedVariable:
    if variable.value is None:
        return variable
    return variable.model_copy(update={"value": masked_value(variable.name, variable.value)})
