"""Variables of the device model (OCPP 2.0.1 B05, B06, B07)."""

from typing import Any

from communication_service.ocpp.route import NotExpressible, OutboundCall, Payload
from communication_service.ocpp.verdicts import all_of, any_of, by_status, word
from communication_service.ocpp.wire import maybe_whole, present
from shared_contracts.commands import CommandAnswered, GetVariables, SetVariables, VariableName
from shared_contracts.stations import ReportedVariable


def get_variables(command: GetVariables) -> list[OutboundCall]:
    """GetVariables or, if none is named, GetBaseReport of all: the reports then bear `request_id`, else 0."""
    if not command.variables:
        payload = {"requestId": command.request_id or 0, "reportBase": "FullInventory"}
        return [OutboundCall("GetBaseReport", payload)]
    return [OutboundCall("GetVariables", {"getVariableData": [_named(one) for one in command.variables]})]


def variables_got(command: GetVariables, answers: list[Payload]) -> CommandAnswered:
    """The variables with value and status, or whether the report will come."""
    if not command.variables:
        return by_status(command, answers)
    results = answers[0].get("getVariableResult") or ()
    outcome, status = any_of([result.get("attributeStatus") for result in results])
    variables = tuple(_result(result, result.get("attributeValue")) for result in results)
    return CommandAnswered(outcome=outcome, status=status, payload=answers[0], variables=variables)


def set_variables(command: SetVariables) -> list[OutboundCall]:
    """SetVariables."""
    data = [_named(variable) | {"attributeValue": variable.value} for variable in command.variables]
    return [OutboundCall("SetVariables", {"setVariableData": data})]


def variables_set(command: SetVariables, answers: list[Payload]) -> CommandAnswered:
    """The variables with the values asked for, and the status of each. Stations answer in the order asked."""
    results = answers[0].get("setVariableResult") or ()
    outcome, status = all_of([result.get("attributeStatus") for result in results])
    variables = tuple(
        _result(result, variable.value) for variable, result in zip(command.variables, results, strict=False)
    )
    return CommandAnswered(outcome=outcome, status=status, payload=answers[0], variables=variables)


def named(data: Payload) -> dict[str, Any]:
    """The fields of a `ReportedVariable` that name it, of any OCPP type with a component and a variable."""
    component, variable = data["component"], data["variable"]
    evse = component.get("evse") or {}
    return {
        "component": component["name"],
        "component_instance": component.get("instance"),
        "evse_id": maybe_whole(evse.get("id"), "evse_id", []),
        "connector_id": maybe_whole(evse.get("connectorId"), "connector_id", []),
        "name": variable["name"],
        "instance": variable.get("instance"),
    }


def _result(result: Payload, value: str | None) -> ReportedVariable:
    return ReportedVariable(
        **named(result),
        attribute=result.get("attributeType") or "Actual",
        value=value,
        status=word(result.get("attributeStatus")),
    )


def _named(variable: VariableName) -> Payload:
    """Component, variable and attribute. Raises NotExpressible without a component, which 2.x cannot do without."""
    if variable.component is None:
        raise NotExpressible(f"the variable {variable.name} needs a component")
    evse = present(id=variable.evse_id, connectorId=variable.connector_id)
    if evse and "id" not in evse:
        raise NotExpressible("a connector is named together with its EVSE")
    return present(
        attributeType=None if variable.attribute == "Actual" else variable.attribute,
        component=present(name=variable.component, instance=variable.component_instance, evse=evse or None),
        variable=present(name=variable.name, instance=variable.instance),
    )
