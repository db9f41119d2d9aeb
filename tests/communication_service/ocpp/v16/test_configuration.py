from communication_service.ocpp.route import OutboundCall
from communication_service.ocpp.v16.configuration import (
    change_configuration,
    configuration,
    configuration_changed,
    get_configuration,
)
from shared_contracts.commands import CommandOutcome, GetVariables, SetVariables, VariableChange, VariableName
from shared_contracts.stations import ReportedVariable

GET = GetVariables(variables=(VariableName(name="HeartbeatInterval"), VariableName(name="Nonsense")))
SET = SetVariables(variables=(VariableChange(name="A", value="1"), VariableChange(name="B", value="2")))


def test_keys_are_asked_by_name_or_all_of_them() -> None:
    assert get_configuration(GET) == [OutboundCall("GetConfiguration", {"key": ["HeartbeatInterval", "Nonsense"]})]
    assert get_configuration(GetVariables()) == [OutboundCall("GetConfiguration", {})]


def test_known_and_unknown_keys_are_told_apart() -> None:
    known = {"key": "HeartbeatInterval", "readonly": True, "value": "300"}
    answered = configuration(GET, [{"configurationKey": [known], "unknownKey": ["Nonsense"]}])
    assert (answered.outcome, answered.status) == (CommandOutcome.ACCEPTED, "Accepted")
    assert answered.variables == (
        ReportedVariable(name="HeartbeatInterval", value="300", read_only=True, status="Accepted"),
        ReportedVariable(name="Nonsense", status="UnknownVariable"),
    )


def test_nothing_but_unknown_keys_is_a_rejection() -> None:
    answered = configuration(GET, [{"unknownKey": ["HeartbeatInterval", "Nonsense"]}])
    assert (answered.outcome, answered.status) == (CommandOutcome.REJECTED, "UnknownVariable")


def test_a_station_with_nothing_to_tell_is_accepted() -> None:
    assert configuration(GetVariables(), [{}]).outcome is CommandOutcome.ACCEPTED


def test_keys_are_changed_one_by_one() -> None:
    assert change_configuration(SET) == [
        OutboundCall("ChangeConfiguration", {"key": "A", "value": "1"}),
        OutboundCall("ChangeConfiguration", {"key": "B", "value": "2"}),
    ]


def test_each_key_has_its_status_and_one_refusal_refuses_the_command() -> None:
    results = [{"status": "RebootRequired"}, {"status": "NotSupported"}]
    answered = configuration_changed(SET, [dict(result) for result in results])
    assert (answered.outcome, answered.status) == (CommandOutcome.REJECTED, "NotSupported")
    assert answered.payload == {"results": results}
    assert answered.variables == (
        ReportedVariable(name="A", value="1", status="RebootRequired"),
        ReportedVariable(name="B", value="2", status="NotSupported"),
    )


def test_the_answer_for_one_key_is_kept_as_it_came() -> None:
    command = SetVariables(variables=SET.variables[:1])
    assert configuration_changed(command, [{"status": "Accepted"}]).payload == {"status": "Accepted"}
