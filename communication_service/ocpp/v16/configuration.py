"""Configuration keys (OCPP 1.6 §5.3, §5.8). A variable is known by its name alone: 1.6 has no components."""

from communication_service.ocpp.route import OutboundCall, Payload
from communication_service.ocpp.verdicts import all_of, any_of, word
from shared_contracts.commands import CommandAnswered, GetVariables, SetVariables
from shared_contracts.stations import ReportedVariable


def get_configuration(command: GetVariables) -> list[OutboundCall]:
    """GetConfiguration; without keys the station tells all."""
    keys = [variable.name for variable in command.variables]
    return [OutboundCall("GetConfiguration", {"key": keys} if keys else {})]


def configuration(_: GetVariables, answers: list[Payload]) -> CommandAnswered:
    """The keys with their values; unknown ones without, as UnknownVariable."""
    known = [
        ReportedVariable(name=key["key"], value=key.get("value"), read_only=key["readonly"], status="Accepted")
        for key in answers[0].get("configurationKey") or ()
    ]
    unknown = [ReportedVariable(name=name, status="UnknownVariable") for name in answers[0].get("unknownKey") or ()]
    variables = (*known, *unknown)
    outcome, status = any_of([variable.status for variable in variables])
    return CommandAnswered(outcome=outcome, status=status, payload=answers[0], variables=variables)


def change_configuration(command: SetVariables) -> list[OutboundCall]:
    """ChangeConfiguration, once for each key."""
    return [
        OutboundCall("ChangeConfiguration", {"key": variable.name, "value": variable.value})
        for variable in command.variables
    ]


def configuration_changed(command: SetVariables, answers: list[Payload]) -> CommandAnswered:
    """One status per key. The payload of several answers is `{"results": [...]}`, in the order of the keys."""
    statuses = [answer.get("status") for answer in answers]
    outcome, status = all_of(statuses)
    variables = tuple(
        ReportedVariable(component=variable.component, name=variable.name, value=variable.value, status=word(said))
        for variable, said in zip(command.variables, statuses, strict=False)
    )
    payload = answers[0] if len(answers) == 1 else {"results": list(answers)}
    return CommandAnswered(outcome=outcome, status=status, payload=payload, variables=variables)
