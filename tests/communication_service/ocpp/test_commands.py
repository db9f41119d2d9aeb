"""Every command in every version: its CALLs hold to the official schema, every answer of a schema has an outcome."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from communication_service.ocpp.route import OutboundCall
from communication_service.ocpp.schemas import Kind
from communication_service.ocpp.versions import Version
from shared_contracts.commands import (
    ChangeAvailability,
    ChargingPeriod,
    ChargingProfile,
    ClearChargingProfile,
    CommandOutcome,
    GetLog,
    GetVariables,
    InstallCertificate,
    ResetStation,
    SetChargingProfile,
    SetVariables,
    StartCharging,
    StopCharging,
    TriggerMessage,
    UnlockConnector,
    UpdateFirmware,
    VariableChange,
    VariableName,
)
from tests.communication_service.ocpp import official
from tests.communication_service.ocpp.test_routes import TABLES

AT = datetime(2025, 3, 1, 12, tzinfo=UTC)
PERIODS = (
    ChargingPeriod(start_s=0, limit=Decimal("8.1"), number_phases=3),
    ChargingPeriod(start_s=60, limit=Decimal("6.25")),
)
PROFILE = ChargingProfile(
    id=7,
    stack_level=2,
    purpose="tx",
    kind="recurring",
    recurrency="weekly",
    valid_from=AT,
    valid_to=AT,
    transaction_ref="42",
    start_at=AT,
    duration_s=3600,
    min_charging_rate=Decimal("6.0"),
    periods=PERIODS,
)
VARIABLE = VariableName(
    component="EVSE", component_instance="a", evse_id=1, name="Power", instance="b", attribute="Target"
)
SAMPLES = [
    StartCharging(id_token="ABC"),
    StartCharging(id_token="ABC", evse_id=2, remote_start_id=9, charging_profile=PROFILE),
    StopCharging(transaction_ref="42"),
    ResetStation(),
    ResetStation(when="immediate"),
    UnlockConnector(evse_id=2),
    TriggerMessage(message="StatusNotification", evse_id=1, connector_id=1),
    TriggerMessage(message="LogStatusNotification"),
    TriggerMessage(message="DiagnosticsStatusNotification"),
    TriggerMessage(message="SignChargingStationCertificate"),
    ChangeAvailability(operative=True),
    ChangeAvailability(operative=False, evse_id=1, connector_id=1),
    GetVariables(),
    GetVariables(variables=(VARIABLE,), request_id=3),
    SetVariables(variables=(VariableChange(component="Ctrlr", name="A", value="1"),)),
    SetVariables(variables=tuple(VariableChange(component="C", name=name, value="") for name in "AB")),
    SetChargingProfile(profile=PROFILE),
    SetChargingProfile(evse_id=1, profile=ChargingProfile(id=1, periods=PERIODS, purpose="station_max")),
    ClearChargingProfile(),
    ClearChargingProfile(profile_id=7, evse_id=1, purpose="tx_default", stack_level=0),
    UpdateFirmware(location="https://x/f", retrieve_at=AT, request_id=1),
    UpdateFirmware(
        location="https://x/f", retrieve_at=AT, install_at=AT, request_id=1, retries=2, retry_interval_s=9,
        signing_certificate="PEM", signature="sig",
    ),
    GetLog(location="https://x/l", request_id=1),
    GetLog(log="security", location="https://x/l", request_id=1, oldest_at=AT, latest_at=AT, retries=1),
    InstallCertificate(certificate_chain="PEM"),
]  # fmt: skip
CASES = [
    pytest.param(version, command, id=f"{version}-{number}-{command.type}")
    for version in TABLES
    for number, command in enumerate(SAMPLES)
]
RESULTS = {"GetVariables": "getVariableResult", "SetVariables": "setVariableResult"}


def calls(version: Version, command: Any) -> list[OutboundCall]:
    return TABLES[version].COMMANDS[type(command)].calls(command)


def answer(version: Version, call: OutboundCall, word: str) -> dict[str, Any]:
    """A CALLRESULT with this word, of just the required fields."""
    if call.action not in RESULTS:
        return {"status": word}
    [asked] = call.payload.values()
    named = {"component": asked[0]["component"], "variable": asked[0]["variable"]}
    return {RESULTS[call.action]: [{"attributeStatus": word, **named}]}


@pytest.mark.parametrize(("version", "command"), CASES)
def test_a_command_is_said_as_the_schema_wants_it(version: Version, command: Any) -> None:
    for call in calls(version, command):
        assert official.violations(version, call.action, call.payload) == []


@pytest.mark.parametrize(("version", "command"), CASES)
def test_every_word_of_the_answers_schema_has_an_outcome(version: Version, command: Any) -> None:
    sent = calls(version, command)
    schema = official.schema(version, sent[0].action, Kind.RESPONSE)
    path = (RESULTS[sent[0].action], "attributeStatus") if sent[0].action in RESULTS else ("status",)
    if path[0] not in schema.get("required", ()):
        assert sent[0].action in {"GetConfiguration", "GetDiagnostics", "UpdateFirmware"}
        return
    for word in official.words(version, sent[0].action, *path, kind=Kind.RESPONSE):
        answers = [answer(version, call, word) for call in sent]
        assert all(
            official.violations(version, c.action, a, Kind.RESPONSE) == [] for c, a in zip(sent, answers, strict=True)
        )
        answered = TABLES[version].COMMANDS[type(command)].answer(command, answers)
        assert answered.outcome in {CommandOutcome.ACCEPTED, CommandOutcome.REJECTED}
        assert answered.status == word
        assert (answered.outcome is CommandOutcome.ACCEPTED) == (
            word in {"Accepted", "AcceptedCanceled", "EmptyResultSet", "RebootRequired", "Scheduled", "Unlocked"}
        )
