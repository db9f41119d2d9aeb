"""A CALLRESULT that comes after its time still completes its command; the next command did not wait for it (F29)."""

import time
from typing import Any

import pytest

from communication_service.ocpp.versions import Version
from shared_contracts import commands as c
from shared_contracts.charge_points import CommandNoted, CompleteCommand
from shared_contracts.commands import CommandOutcome, RawCall, ResetStation, StopCharging
from tests.communication_service.edge import edge, until
from tests.communication_service.fakes import Modules, fakes

STRAYS = "strum_ocpp_stray_answers_total"


@pytest.fixture
def modules() -> Modules:
    made = fakes()
    made.replies[CompleteCommand] = lambda _: CommandNoted(known=True)
    return made


@pytest.mark.parametrize("version", Version)
async def test_a_late_answer_completes_its_command_and_the_next_one_did_not_wait(
    modules: Modules, version: Version
) -> None:
    async with edge(modules=modules, call_timeout_s=0.3) as e, e.station(version) as station:
        begun, first = time.monotonic(), e.telling(ResetStation())
        unanswered = await station.receive()
        second = e.telling(StopCharging(transaction_ref="1"))
        call = await station.receive()
        assert time.monotonic() - begun < 1
        assert (await first).outcome is CommandOutcome.TIMED_OUT
        await station.send([3, unanswered[1], {"status": "Accepted"}])
        await station.send([3, call[1], {"status": "Rejected"}])
        assert (await second).outcome is CommandOutcome.REJECTED
        await until(lambda: e.asked(CompleteCommand))

        (late,) = e.asked(CompleteCommand)
        assert (late.station_id, late.answer.outcome) == ("CS1", CommandOutcome.ACCEPTED)


async def test_an_answer_on_the_next_connection_completes_the_command_of_the_last(modules: Modules) -> None:
    async with edge(modules=modules) as e:
        async with e.raw() as lost:
            told = e.telling(ResetStation())
            text = (await lost.receive())[1].decode()
            lost.writer.transport.abort()
            assert (await told).outcome is CommandOutcome.TIMED_OUT
        async with e.station() as again:
            await again.send([3, text.split('"')[1], {"status": "Accepted"}])
            await until(lambda: e.asked(CompleteCommand))

        assert e.asked(CompleteCommand)[0].answer.status == "Accepted"


@pytest.mark.parametrize(
    ("frame", "outcome", "code"),
    [
        ([4, "{}", "InternalError", "no", {}], CommandOutcome.FAILED, "InternalError"),
        ([3, "{}", {"status": 5}], CommandOutcome.FAILED, "InvalidResponse"),
        ([3, "{}", {"status": "Rejected"}], CommandOutcome.REJECTED, None),
    ],
)
async def test_whatever_a_late_answer_says_is_the_outcome(
    modules: Modules, frame: list[Any], outcome: CommandOutcome, code: str | None
) -> None:
    async with edge(modules=modules, call_timeout_s=0.1) as e, e.station() as station:
        told = e.telling(RawCall(action="ClearCache", payload={}))
        message_id = (await station.receive())[1]
        await told
        await station.send([frame[0], message_id, *frame[2:]])
        await until(lambda: e.asked(CompleteCommand))

        (late,) = e.asked(CompleteCommand)
        assert (late.answer.outcome, late.answer.error_code) == (outcome, code)


async def test_of_several_calls_those_that_were_not_sent_stay_unsaid(modules: Modules) -> None:
    changes = tuple(c.VariableChange(name=name, value="1") for name in ("A", "B"))
    async with edge(modules=modules, call_timeout_s=0.1) as e, e.station() as station:
        told = e.telling(c.SetVariables(variables=changes))
        message_id = (await station.receive())[1]
        assert (await told).outcome is CommandOutcome.TIMED_OUT
        await station.send([3, message_id, {"status": "Accepted"}])
        await station.silent()
        await until(lambda: e.asked(CompleteCommand))

        assert e.asked(CompleteCommand)[0].answer.outcome is CommandOutcome.TIMED_OUT


async def test_another_station_cannot_answer_late_for_it_and_a_second_answer_is_a_stray(modules: Modules) -> None:
    async with edge(modules=modules, call_timeout_s=0.1) as e, e.station() as station:
        told = e.telling(ResetStation())
        message_id = (await station.receive())[1]
        await told
        strays = e.metric(STRAYS)
        async with e.station(station_id="CS2") as other:
            await other.send([3, message_id, {"status": "Accepted"}])
            await other.silent()
        for _ in range(2):
            await station.send([3, message_id, {"status": "Accepted"}])
        await station.silent()
        await until(lambda: e.asked(CompleteCommand))

        assert len(e.asked(CompleteCommand)) == 1
        assert e.metric(STRAYS) == strays + 2


async def test_a_late_answer_that_cannot_be_read_does_not_end_the_connection(
    modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with edge(modules=modules, call_timeout_s=0.1) as e, e.station() as station:
        told = e.telling(ResetStation())
        message_id = (await station.receive())[1]
        await told
        monkeypatch.setattr("communication_service.outbound._read_late", None)
        await station.send([3, message_id, {"status": "Accepted"}])
        await station.silent()
