"""Commands on their way to a station: one at a time, the urgent first, none too late, and an outcome for each."""

import asyncio

import pytest

from communication_service.ocpp.versions import Version
from shared_contracts import commands as c
from shared_contracts.bus import StationOffline
from shared_contracts.commands import (
    CommandOutcome,
    RawCall,
    ResetStation,
    StartCharging,
    StopCharging,
)
from tests.communication_service.edge import edge, until
from tests.communication_service.phrases import status

VERSIONS = pytest.mark.parametrize("version", Version)


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
            told.append(e.telling(command))
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
        first = e.telling(ResetStation())
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
        first = e.telling(ResetStation())
        unanswered = await station.receive()
        assert (await first).outcome is CommandOutcome.TIMED_OUT
        second = e.telling(StopCharging(transaction_ref="1"))
        call = await station.receive()
        await station.send([3, unanswered[1], {"status": "Accepted"}])  # late
        await station.send([3, call[1], {"status": "Rejected"}])

        assert (await second).outcome is CommandOutcome.REJECTED


@VERSIONS
async def test_thousands_of_answers_to_nothing_harm_nothing(version: Version) -> None:
    async with edge() as e, e.station(version) as station:
        told = e.telling(RawCall(action="ClearCache", payload={}))
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


async def test_a_connection_lost_in_the_middle_leaves_the_effect_unknown_and_what_was_not_sent_offline() -> None:
    async with edge() as e, e.raw() as socket:
        sent = e.telling(ResetStation())
        await socket.receive()
        waiting = e.telling(StopCharging(transaction_ref="1"))
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


async def test_a_command_cannot_be_answered_from_an_earlier_connection() -> None:
    async with edge() as e:
        ids = []
        for _ in range(2):
            async with e.station() as station:
                told = e.telling(ResetStation())
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
