"""NotifyReport (OCPP 2.0.1 B07, B08): the variables of a station, in parts."""

from collections.abc import Iterator

from communication_service.ocpp.route import Context, Payload, Publish
from communication_service.ocpp.v201.variables import named
from communication_service.ocpp.wire import maybe_whole, moment, whole
from shared_contracts.secrets import MASK, is_secret
from shared_contracts.stations import ReportedVariable, VariablesReported


def notify_report(payload: Payload, context: Context) -> Publish:
    """One part of a report; each attribute of a variable is one entry. A password is not handed over."""
    event = VariablesReported(
        station_id=context.station_id,
        request_id=maybe_whole(payload["requestId"], "request_id", []),
        sequence_number=whole(payload["seqNo"], "sequence_number", []),
        more_to_come=bool(payload.get("tbc")),
        variables=tuple(variable for data in payload.get("reportData") or () for variable in _variables(data)),
        reported_at=moment(payload["generatedAt"], context, []),
    )
    return Publish(event, {})


def _variables(data: Payload) -> Iterator[ReportedVariable]:
    secret = is_secret(data["variable"]["name"])
    for attribute in data["variableAttribute"]:
        yield ReportedVariable(
            **named(data),
            attribute=attribute.get("type") or "Actual",
            value=MASK if secret and attribute.get("value") else attribute.get("value"),
            read_only=attribute.get("mutability") == "ReadOnly",
        )
