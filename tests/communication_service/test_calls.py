"""Commands on their way to a station: one at a time, the urgent first, none too late, and an outcome for each."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from communication_service.ocpp.schemas import Kind
from communication_service.ocpp.versions import Version
from shared_contracts import commands as c
from shared_contracts.bus import StationOffline
from shared_contracts.commands import (
    CommandAnswered,
    CommandOutcome,
    RawCall,
    ResetStation,
    StartCharging,
    StopCharging,
)
from tests.communication_service.edge import Edge, edge, until
from tests.communication_service.ocpp import official
from tests.communication_service.phrases import status

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


def telling(e: Edge, command: c.Command, **options: Any) -> "asyncio.Task[CommandAnswered]":
    return asyncio.create_task(e.tell(command, **options))


@VERSIONS
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.type)
async def test_each_command_reaches_a_station_of_each_version(version: Version, command: c.Command) -> None:
    async with edge() as e, e.station(version) as station:
        told = telling(e, command)
        call = await station.receive()
        answer = {} if (version, call[2]) == (Version.V16, "UpdateFirmware") else {"status": "Accepted"}
        answer = ANSWERS.get(call[2], answer)
        assert official.violations(version, call[2], call[3]) == []
        assert official.violations(version, call[2], answer, Kind.RESPONSE) == []
        await station.send([3, call[1], answer])

        assert (await told).outcome is CommandOutcome.ACCEPTED


async def test_one_call_at_a_time_is_outstanding_and_the_urgent_go_first() -> None:
    async with edge() as e, e.station() as station:
        told = []
        for command in (
            ResetStation(),
            RawCall(action="ClearCache", payload={}),
            StartCharging(id_token="A"),
            StopCharging(transaction_ref="1"),
            c.UnlockConnector(),
        ):
            told.append(telling(e, command))
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        first = await station.receive()
        await station.silent()  # no second CALL before the first is answered
        await station.send([3, first[1], {"status": "Accepted"}])
        rest = [
            (await station.answer({"status": status_of}))[2]
            for status_of in ("Accepted", "Unlocked", "Accepted", "Accepted")
        ]

        assert [first[2], *rest] == [
            "Reset", "RemoteStopTransaction", "UnlockConnector", "RemoteStartTransaction", "ClearCache",
        ]  # fmt: skip
        assert {(await one).outcome for one in told} == {CommandOutcome.ACCEPTED}


async def test_a_command_whose_time_passes_while_it_waits_is_never_sent() -> None:
    async with edge() as e, e.station() as station:
        first = telling(e, ResetStation())
        call = await station.receive()
        begun = asyncio.get_running_loop().time()
        late = await e.tell(StopCharging(transaction_ref="1"), expires_s=0.2)

        assert late.outcome is CommandOutcome.EXPIRED
        assert asyncio.get_running_loop().time() - begun < 1
        await station.send([3, call[1], {"status": "Accepted"}])
        await first
        await station.silent()


async def test_a_station_that_does_not_answer_holds_up_the_others_only_once() -> None:
    async with edge(call_timeout_s=0.2) as e, e.station() as station:
        first = telling(e, ResetStation())
        unanswered = await station.receive()
        assert (await first).outcome is CommandOutcome.TIMED_OUT
        second = telling(e, StopCharging(transaction_ref="1"))
        call = await station.receive()
        strays = e.metric("strum_ocpp_stray_answers_total")
        await station.send([3, unanswered[1], {"status": "Accepted"}])  # late
        await station.send([3, call[1], {"status": "Rejected"}])

        assert (await second).outcome is CommandOutcome.REJECTED
        assert e.metric("strum_ocpp_stray_answers_total") == strays + 1


@VERSIONS
async def test_thousands_of_answers_to_nothing_harm_nothing(version: Version) -> None:
    async with edge() as e, e.station(version) as station:
        told = telling(e, RawCall(action="ClearCache", payload={}))
        call = await station.receive()
        strays = e.metric("strum_ocpp_stray_answers_total")
        for number in range(1500):
            await station.send(f'[3,"x{number}",{{}}]')
            await station.send(f'[4,"y{number}","A","",{{}}]')
        await station.send([3, call[1], {"status": "Accepted"}])
        await station.send([3, call[1], {"status": "Rejected"}])  # answered twice
        await station.silent()

        assert (await told).outcome is CommandOutcome.ACCEPTED
        assert e.metric("strum_ocpp_stray_answers_total") == strays + 3001


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
        told = telling(e, RawCall(action="ClearCache", payload={}))
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
        told = telling(e, RawCall(action="ClearCache", payload={}))
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
        told = telling(e, RawCall(action="ClearCache", payload={}))
        call = await station.receive()
        await station.send(frame.format(call[1]))

        assert (await told).error_code == "InvalidResponse"


async def test_a_connection_lost_in_the_middle_leaves_the_effect_unknown_and_what_was_not_sent_offline() -> None:
    async with edge() as e, e.raw() as socket:
        sent = telling(e, ResetStation())
        await socket.receive()
        waiting = telling(e, StopCharging(transaction_ref="1"))
        await asyncio.sleep(0.05)
        socket.writer.transport.abort()

        assert (await sent).outcome is CommandOutcome.TIMED_OUT
        assert (await waiting).outcome is CommandOutcome.OFFLINE


async def test_a_station_that_is_not_connected_is_offline_at_once() -> None:
    async with edge() as e:
        with pytest.raises(StationOffline):
            await e.tell(ResetStation(), "CS9")
        async with e.station(station_id="CS9"):
            pass
        await until(lambda: e.communication.registry.get("CS9") is None)
        with pytest.raises(StationOffline):
            await e.tell(ResetStation(), "CS9")


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
        told = telling(e, RawCall(action="ReserveNow", payload=reserve))
        await station.answer({"status": word})

        assert (await told).outcome is outcome
        assert (await told).status == word


async def test_a_command_cannot_be_answered_from_an_earlier_connection() -> None:
    async with edge() as e:
        ids = []
        for _ in range(2):
            async with e.station() as station:
                told = telling(e, ResetStation())
                ids.append((await station.answer())[1])
                await told

        assert ids[0] != ids[1]
        assert all(len(one) <= 36 for one in ids)


async def test_a_station_that_reads_nothing_holds_up_nobody_else() -> None:
    change = c.VariableChange(name="N", value="x" * 500)
    async with edge(call_timeout_s=0.3) as e, e.raw() as deaf, e.station(station_id="CS2") as other:
        deaf.reader._transport.pause_reading()  # type: ignore[attr-defined]  # a station that hangs
        for _ in range(3):
            assert (await e.tell(c.SetVariables(variables=(change,)))).outcome is CommandOutcome.TIMED_OUT
        await other.send(status(Version.V16))
        assert (await other.receive())[:2] == [3, "7"]
