from communication_service.ocpp.versions import Version
from shared_contracts.stations import ReportedVariable, VariablesReported
from tests.communication_service.ocpp.conversation import AT, AT_TEXT, Station

STATION = Station(Version.V201)
REPORT = {"requestId": 4, "generatedAt": AT_TEXT, "seqNo": 1, "tbc": True}


def test_each_attribute_of_a_variable_is_one_entry() -> None:
    data = {
        "component": {"name": "EVSE", "instance": "a", "evse": {"id": 1, "connectorId": 2}},
        "variable": {"name": "Power", "instance": "b"},
        "variableAttribute": [{"value": "7", "mutability": "ReadOnly"}, {"type": "Target", "mutability": "WriteOnly"}],
    }
    named = {
        "component": "EVSE",
        "component_instance": "a",
        "evse_id": 1,
        "connector_id": 2,
        "name": "Power",
        "instance": "b",
    }
    assert STATION.publishes("NotifyReport", REPORT | {"reportData": [data]}) == VariablesReported(
        station_id="CS1",
        request_id=4,
        sequence_number=1,
        more_to_come=True,
        variables=(
            ReportedVariable.model_validate(named | {"value": "7", "read_only": True}),
            ReportedVariable.model_validate(named | {"attribute": "Target"}),
        ),
        reported_at=AT,
    )


def test_a_report_may_be_empty() -> None:
    event = STATION.publishes("NotifyReport", REPORT)
    assert isinstance(event, VariablesReported)
    assert event.variables == ()


def test_a_secret_is_not_handed_over() -> None:
    values: list[dict[str, str]] = [{"value": "c4n4ry"}, {"type": "Target"}]
    data = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "basicAuthPASSWORD"}}
    event = STATION.publishes("NotifyReport", REPORT | {"reportData": [data | {"variableAttribute": values}]})
    assert isinstance(event, VariablesReported)
    assert [variable.value for variable in event.variables] == ["***", None]
