"""What becomes of a command: each one in each version, raw calls, and answers of any shape."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from communication_service.ocpp.schemas import Kind
from communication_service.ocpp.versions import Version
from shared_contracts import commands as c
from shared_contracts.commands import (
    CommandOutcome,
    RawCall,
    ResetStation,
    StartCharging,
    StopCharging,
)
from tests.communication_service.edge import edge
from tests.communication_service.ocpp import official

VERSIONS = pytest.mark.parametrize("version", Version)
AT = datetime(2026, 1, 1, tzinfo=UTC)
PROFILE = c.ChargingProfile(id=1, periods=(c.ChargingPeriod(start_s=0, limit=Decimal(16)),))
NAME, CHANGE = c.VariableName(component="C", name="N"), c.VariableChange(component="C", name="N", value="1")
NAMED = {"component": {"name": "C"}, "variable": {"name": "N"}, "attributeStatus": "Accepted"}
COMMANDS = [
    StartCharging(id_token="ABC"),
    StopCharging(transaction_ref="42"),
    ResetStation(),
    c.UnlockConnector(),
    c.TriggerMessage(message="Heartbeat"),
    c.ChangeAvailability(operative=True),
    c.GetVariables(variables=(NAME,)),
    c.SetVariables(variables=(CHANGE,)),
    c.SetChargingProfile(profile=PROFILE),
    c.ClearChargingProfile(profile_id=1),
    c.UpdateFirmware(location="https://x/f", retrieve_at=AT, request_id=1),
    c.GetLog(location="https://x/l", request_id=1),
    RawCall(action="ClearCache", payload={}),
]
ANSWERS: dict[str, Any] = {
    "GetVariables": {"getVariableResult": [NAMED]},
    "SetVariables": {"setVariableResult": [NAMED]},
    "GetConfiguration": {"configurationKey": [{"key": "N", "readonly": False, "value": "1"}]},
    "GetDiagnostics": {"fileName": "f"},
    "UnlockConnector": {"status": "Unlocked"},
}


@VERSIONS
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.type)
async def test_each_command_reaches_a_station_of_each_version(version: Version, command: c.Command) -> None:
    async with edge() as e, e.station(version) as station:
        told = e.telling(command)
        call = await station.receive()
        answer = {} if (version, call[2]) == (Version.V16, "UpdateFirmware") else {"status": "Accepted"}
        answer = ANSWERS.get(call[2], answer)
        assert official.violations(version, call[2], call[3]) == []
        assert official.violations(version, call[2], answer, Kind.RESPONSE) == []
        await station.send([3, call[1], answer])

        assert (await told).outcome is CommandOutcome.ACCEPTED


@pytest.mark.parametrize(
    ("rest", "code", "description"),
    [
        (["NotSupported", "no", {"a": 1}], "NotSupported", "no"),
        ([], "", ""),
        (["FrogError"], "FrogError", ""),
        ([None, None, None], "", ""),
        ([5, [], "x", 1, 2], "", ""),
        (["x" * 1000, "y" * 1000, {}], "x" * 64, "y" * 255),
    ],
)
@VERSIONS
async def test_a_callerror_of_any_shape_fails_the_command(
    version: Version, rest: list[Any], code: str, description: str
) -> None:
    async with edge() as e, e.station(version) as station:
        told = e.telling(RawCall(action="ClearCache", payload={}))
        call = await station.receive()
        await station.send([4, call[1], *rest])
        answered = await told

        assert answered.outcome is CommandOutcome.FAILED
        assert (answered.error_code or "", answered.error_description or "") == (code, description)
        await station.silent()


@pytest.mark.parametrize("payload", [{}, {"status": 5}, {"status": None}])
@VERSIONS
async def test_an_answer_that_breaks_the_schema_fails_the_command_and_is_kept(version: Version, payload: Any) -> None:
    async with edge() as e, e.station(version) as station:
        told = e.telling(RawCall(action="ClearCache", payload={}))
        call = await station.receive()
        await station.send([3, call[1], payload])
        answered = await told

        assert (answered.outcome, answered.error_code) == (CommandOutcome.FAILED, "InvalidResponse")
        assert answered.payload == {"received": payload}
        if version is Version.V21:
            assert (await station.receive())[:2] == [5, call[1]]
        await station.silent()


@pytest.mark.parametrize("frame", ['[3,"{}",[]]', '[3,"{}","x"]', '[3,"{}",{{"status":NaN}}]'])
@VERSIONS
async def test_an_answer_that_is_no_frame_fails_the_command_at_once(version: Version, frame: str) -> None:
    async with edge() as e, e.station(version) as station:
        told = e.telling(RawCall(action="ClearCache", payload={}))
        call = await station.receive()
        await station.send(frame.format(call[1]))

        assert (await told).error_code == "InvalidResponse"


@VERSIONS
@pytest.mark.parametrize(
    ("command", "pointer"),
    [
        (RawCall(action="Reset", payload={}), "/type"),
        (RawCall(action="Reset", payload={"type": "Frogs"}), "/type"),
        (RawCall(action="Reset", payload={"type": 5}), "/type"),
        (RawCall(action="Heartbeat", payload={}), ""),
        (RawCall(action="NoSuchAction", payload={}), ""),
        (RawCall(action="../Reset", payload={}), ""),
    ],
)
async def test_a_raw_call_that_breaks_the_schema_is_not_sent(version: Version, command: RawCall, pointer: str) -> None:
    async with edge() as e, e.station(version) as station:
        answered = await e.tell(command)

        assert answered.outcome is CommandOutcome.INVALID
        violations: Any = answered.payload["violations"]
        assert pointer in {violation["pointer"] for violation in violations}
        await station.silent()


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("Accepted", CommandOutcome.ACCEPTED),
        ("Occupied", CommandOutcome.REJECTED),
        ("Faulted", CommandOutcome.REJECTED),
    ],
)
async def test_every_status_word_of_a_raw_call_that_does_not_accept_rejects(word: str, outcome: CommandOutcome) -> None:
    reserve = {"connectorId": 1, "expiryDate": "2026-01-01T00:00:00Z", "idTag": "A", "reservationId": 1}
    async with edge() as e, e.station() as station:
        told = e.telling(RawCall(action="ReserveNow", payload=reserve))
        await station.answer({"status": word})

        assert (await told).outcome is outcome
        assert (await told).status == word


async def test_what_is_logged_of_a_command_carries_its_trace_and_station() -> None:
    with capture_logs([merge_contextvars]) as lines:
        async with edge() as e, e.station(Version.V16) as station:
            told = e.telling(ResetStation(), trace="t-1")
            call = await station.receive()
            await station.send([3, call[1], {"status": "Accepted"}])
            await told
    (line,) = [line for line in lines if line["event"] == "command_answered"]
    assert (line["trace"], line["station"]) == ("t-1", "CS1")
