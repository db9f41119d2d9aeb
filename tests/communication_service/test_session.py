"""F30: one connection. Reading never waits for answering, answers keep order, nothing is lost or counted twice."""

import asyncio

import orjson
import pytest

from communication_service.ocpp.versions import Version
from shared_contracts.authorization import JudgeToken
from shared_contracts.commands import CommandOutcome, ResetStation
from shared_contracts.stations import MetersSampled, StationDisconnected
from shared_contracts.transactions import OpenTransaction
from tests.communication_service.edge import edge, until
from tests.communication_service.phrases import authorize, begin, call, meters, status

VERSIONS = pytest.mark.parametrize("version", Version)


def numbered(text: str, number: int) -> str:
    return text.replace('"7"', f'"{number}"', 1)


@VERSIONS
async def test_an_answer_of_the_station_is_taken_while_its_call_waits_for_a_module(version: Version) -> None:
    async with edge() as e, e.station(version) as station:
        gate = e.modules.hold(JudgeToken)
        await station.send(authorize(version, "ABC"))
        telling = e.telling(ResetStation())
        await station.answer()

        assert (await telling).outcome is CommandOutcome.ACCEPTED
        gate.set()
        assert (await station.receive())[:2] == [3, "7"]


async def test_calls_that_do_not_wait_for_each_other_are_answered_in_their_order_and_counted() -> None:
    violations = {"version": "1.6", "kind": "call_before_answer"}
    async with edge() as e, e.station() as station:
        before = e.metric("strum_ocpp_deviations_total", **violations)
        gate = e.modules.hold(JudgeToken)
        await station.send(numbered(authorize(Version.V16, "ABC"), 1))
        await station.send(call("Heartbeat", {}, "2"))
        await station.send(numbered(status(Version.V16), 3))
        gate.set()

        assert [(await station.receive())[1] for _ in range(3)] == ["1", "2", "3"]
        assert e.metric("strum_ocpp_deviations_total", **violations) == before + 2


@VERSIONS
async def test_calls_that_cross_are_both_answered_and_are_no_violation(version: Version) -> None:
    """OCPP-J 1.6 §4.1.1, 2.0.1 Part 4 §4.1.2: one CALL outstanding in each direction, whatever the other has sent."""
    violations = {"version": version.value, "kind": "call_before_answer"}
    async with edge() as e, e.station(version) as station:
        before = e.metric("strum_ocpp_deviations_total", **violations)
        telling = e.telling(ResetStation())
        ours = await station.receive()
        assert ours[0] == 2
        for number in (1, 2):
            await station.send(numbered(authorize(version, "ABC"), number))
            assert (await station.receive())[:2] == [3, str(number)]
        assert e.metric("strum_ocpp_deviations_total", **violations) == before
        await station.send(numbered(authorize(version, "ABC"), 3))
        await station.send(numbered(status(version), 4))
        await station.send([3, ours[1], {"status": "Accepted"}])

        assert [(await station.receive())[:2] for _ in range(2)] == [[3, "3"], [3, "4"]]
        assert (await telling).outcome is CommandOutcome.ACCEPTED
        assert e.metric("strum_ocpp_deviations_total", **violations) == before + 1


async def test_a_station_that_sends_faster_than_it_is_answered_is_not_read_and_loses_nothing() -> None:
    async with edge(waiting_calls=5) as e, e.raw() as socket:
        gate = e.modules.hold("events")
        padding = "x" * 20_000
        for number in range(100):
            socket.send(numbered(meters(Version.V16, vendor=padding), number))
        await asyncio.sleep(0.2)
        session = e.communication.registry.get("CS1")
        assert session is not None
        assert len(session._waiting) in {5, 6}
        gate.set()
        answers = [orjson.loads((await socket.receive())[1])[1] for _ in range(100)]

        assert answers == [str(number) for number in range(100)]
        assert len(await e.hears(MetersSampled, 100)) == 100


@VERSIONS
async def test_a_call_repeated_word_for_word_gets_the_same_answer_and_counts_once(version: Version) -> None:
    async with edge() as e, e.station(version) as station:
        answers = []
        for _ in range(3):
            await station.send(meters(version))
            await station.send(begin(version))
            await station.send(begin(version))
            answers.append([await station.receive() for _ in range(3)])

        assert answers[0] == answers[1] == answers[2]
        assert len(e.asked(OpenTransaction)) in {0, 3}  # only a repeat in a row is one


async def test_a_repeat_that_comes_while_the_first_is_in_progress_counts_once() -> None:
    async with edge() as e, e.station() as station:
        gate = e.modules.hold(OpenTransaction)
        await station.send(begin(Version.V16))
        await station.send(begin(Version.V16))
        gate.set()

        assert await station.receive() == await station.receive()
        assert len(e.asked(OpenTransaction)) == 1


@VERSIONS
async def test_the_same_id_with_other_content_is_a_new_call(version: Version) -> None:
    async with edge() as e, e.station(version) as station:
        for value in (1, 2):
            await station.send(meters(version, value=str(value) if version is Version.V16 else value))
            assert (await station.receive())[:2] == [3, "7"]

        assert len(await e.hears(MetersSampled, 2)) == 2


@VERSIONS
async def test_too_many_broken_messages_close_the_connection(version: Version) -> None:
    async with edge(strikes_per_minute=3) as e, e.station(version) as station:
        for _ in range(3):
            await station.send("{}")
        await station.send(call("Nonsense", {}))  # wrong, but a frame
        await station.send("{}")

        assert await station.closed() == 1008
        [event] = await e.hears(StationDisconnected)
        assert event.close_code == 1008


async def test_what_came_before_a_connection_was_lost_is_not_thrown_away() -> None:
    async with edge() as e, e.raw() as socket:
        gate = e.modules.hold("events")
        for number in range(5):
            socket.send(numbered(meters(Version.V16), number))
        await until(lambda: len(e.communication.registry.get("CS1")._waiting) == 4)  # type: ignore[union-attr]
        socket.writer.transport.abort()
        await until(lambda: e.communication.registry.get("CS1") is None)
        gate.set()

        assert len(await e.hears(MetersSampled, 5)) == 5


@pytest.mark.parametrize("count", [20, 2_000], ids=["some", "more than is read"])
async def test_a_connection_that_is_lost_while_it_is_not_read_is_noticed(count: int) -> None:
    async with edge(waiting_calls=5, ping_interval_s=0.2, call_timeout_s=60) as e, e.raw() as socket:
        gate = e.modules.hold("events")
        for number in range(count):
            socket.send(numbered(meters(Version.V16), number))
        await until(lambda: e.communication.registry.get("CS1")._room is not None)  # type: ignore[union-attr]
        telling = e.telling(ResetStation())
        await asyncio.sleep(0.2)
        socket.writer.transport.abort()

        await until(lambda: e.communication.registry.get("CS1") is None)
        assert (await telling).outcome is not CommandOutcome.ACCEPTED
        gate.set()
        await e.hears(MetersSampled, 6)


async def test_a_silent_station_is_pinged_and_dropped_when_it_is_gone() -> None:
    async with edge(ping_interval_s=0.2) as e, e.raw() as socket:
        assert await socket.receive() == (0x89, b"")
        socket.send(b"", 10)
        assert await socket.receive() == (0x89, b"")

        [event] = await e.hears(StationDisconnected)
        assert event.close_code == 1006


async def test_a_station_that_we_do_not_read_is_not_taken_for_dead() -> None:
    async with edge(ping_interval_s=0.1, waiting_calls=1) as e, e.raw() as socket:
        gate = e.modules.hold("events")
        for number in range(5):
            socket.send(numbered(meters(Version.V16), number))
        await asyncio.sleep(0.4)
        gate.set()
        answers: list[str] = []
        while len(answers) < 5:
            first, frame = await socket.receive()
            answers += [orjson.loads(frame)[1]] if first == 0x81 else []

        assert answers == ["0", "1", "2", "3", "4"]


async def test_a_station_that_answers_its_pings_stays() -> None:
    async with edge(ping_interval_s=0.1) as e, e.station() as station:
        receiving = asyncio.create_task(station.receive())
        await asyncio.sleep(0.5)
        assert e.heard(StationDisconnected) == []
        await station.send(call("Heartbeat", {}))
        assert (await receiving)[0] == 3
