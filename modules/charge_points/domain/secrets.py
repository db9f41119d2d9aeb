"""Takes secrets out of what is stored and shown of commands: passwords of stations and networks, user info of URLs."""

from modules.kernel.secrets import masked_value, without_user_info
from shared_contracts.message import JsonObject
from shared_contracts.secrets import without_secrets
from shared_contracts.stations import ReportedVariable


def redacted(document: JsonObject) -> JsonObject:
    """The document with every secret masked, at any depth."""
    masked: JsonObject = without_secrets(document, text=without_user_info)
    return masked


def redacted_variables(variables: tuple[ReportedVariable, ...]) -> tuple[ReportedVariable, ...]:
    """The variables, those that are secrets without their value."""
    return tuple(_without_value(variable) for variable in variables)


def _without_value(variable: ReportedVariable) -> ReportedVariable:
    if variable.value is None:
        return variable
    return variable.model_copy(update={"value": masked_value(variable.name, variable.value)})
