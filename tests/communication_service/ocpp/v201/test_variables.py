import pytest

from communication_service.ocpp.route import NotExpressible, OutboundCall
from communication_service.ocpp.v201.variables import get_variables, set_variables, variables_got, variables_set
from shared_contracts.commands import CommandOutcome, GetVariables, SetVariables, VariableChange, VariableName
from shared_contracts.stations import ReportedVariable

POWER = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"}}
GET = GetVariables(variables=(VariableName(component="EVSE", evse_id=1, name="Power", attribute="MaxSet"),))
SET = SetVariables(variables=(VariableChange(component="EVSE", evse_id=1, name="Power", value="7"),))


def test_variables_are_asked_by_component_and_name() -> None:
    assert get_variables(GET) == [
        OutboundCall("GetVariables", {"getVariableData": [{"attributeType": "MaxSet", **POWER}]})
    ]


def test_without_names_the_full_inventory_is_asked() -> None:
    assert get_variables(GetVariables(request_id=4)) == [
        OutboundCall("GetBaseReport", {"requestId": 4, "reportBase": "FullInventory"})
    ]
    assert variables_got(GetVariables(), [{"status": "NotSupported"}]).outcome is CommandOutcome.REJECTED


def test_each_variable_has_its_value_and_its_status() -> None:
    results = [
        {"attributeStatus": "Accepted", "attributeType": "MaxSet", "attributeValue": "22", **POWER},
        {"attributeStatus": "UnknownVariable", "component": {"name": "C"}, "variable": {"name": "V"}},
    ]
    answered = variables_got(GET, [{"getVariableResult": results}])
    assert (answered.outcome, answered.status) == (CommandOutcome.ACCEPTED, "Accepted")
    assert answered.variables == (
        ReportedVariable(component="EVSE", evse_id=1, name="Power", attribute="MaxSet", value="22", status="Accepted"),
        ReportedVariable(component="C", name="V", status="UnknownVariable"),
    )


def test_a_variable_is_set_and_its_status_told() -> None:
    assert set_variables(SET) == [OutboundCall("SetVariables", {"setVariableData": [{"attributeValue": "7", **POWER}]})]
    answered = variables_set(SET, [{"setVariableResult": [{"attributeStatus": "RebootRequired", **POWER}]}])
    assert (answered.outcome, answered.status) == (CommandOutcome.ACCEPTED, "RebootRequired")
    assert answered.variables == (
        ReportedVariable(component="EVSE", evse_id=1, name="Power", value="7", status="RebootRequired"),
    )


@pytest.mark.parametrize(
    "variable", [VariableName(name="HeartbeatInterval"), VariableName(component="C", connector_id=1, name="V")]
)
def test_a_variable_that_cannot_be_named_is_not_asked(variable: VariableName) -> None:
    with pytest.raises(NotExpressible):
        get_variables(GetVariables(variables=(variable,)))
