"""What every bus promises: the same tests run against RabbitMQ and within one process."""

import asyncio
import time
from collections.abc import Callable

import pytest

from shared_contracts.bus import (
    Bus,
    BusFull,
    BusUnavailable,
    NoHandler,
    RequestFailed,
    RequestTimedOut,
    StationOffline,
    Unroutable,
)
from shared_contracts.message import Envelope
from tests.shared_contracts.carriers import ASK, METERS, STATUS, Recorder, event, eventually

MakeBus = Callable[..., Bus]


async def echo(envelope: Envelope) -> bytes:
    return envelope.payload


async def test_an_event_is_delivered_as_it_was_published(make_bus: MakeBus) -> None:
    bus = make_bus()
    recorder = Recorder().subscribe(bus)
    await bus.start()
    sent = event(7)
    await bus.publish(sent)
    await eventually(lambda: recorder.envelopes)
    assert recorder.envelopes == [sent]


async def test_events_of_a_station_stay_in_order_and_none_is_lost(make_bus: MakeBus) -> None:
    bus = make_bus(batch_envelopes=7)
    recorder = Recorder().subscribe(bus)
    await bus.start()
    for number in range(300):
        for station in ("CP-1", "CP-2", "CP-3"):
            last = bus.publish(event(number, station=station))
        if number % 50 == 0:
            await last
    await eventually(lambda: len(recorder.envelopes) == 900)
    assert [recorder.numbers(station) for station in ("CP-1", "CP-2", "CP-3")] == [list(range(300))] * 3


async def test_what_waits_travels_together(make_bus: MakeBus) -> None:
    bus = make_bus(batch_envelopes=100)
    recorder = Recorder().subscribe(bus)
    await bus.start()
    await asyncio.gather(*(bus.publish(event(number)) for number in range(300)))
    await eventually(lambda: len(recorder.envelopes) == 300)
    assert [len(delivery.envelopes) for delivery in recorder.deliveries] == [100, 100, 100]


async def test_every_consumer_receives_what_it_asked_for(make_bus: MakeBus) -> None:
    bus = make_bus()
    meters, everything = Recorder().subscribe(bus, "meters", METERS), Recorder().subscribe(bus, "everything")
    await bus.start()
    await asyncio.gather(*(bus.publish(event(number, key=STATUS if number % 2 else METERS)) for number in range(10)))
    await eventually(lambda: len(everything.envelopes) == 10 and len(meters.envelopes) == 5)
    assert everything.numbers() == list(range(10))
    assert meters.numbers() == [0, 2, 4, 6, 8]


async def test_a_consumer_that_raises_is_given_the_same_again_in_order(make_bus: MakeBus) -> None:
    failures = iter([True, True, False])

    async def fail_twice() -> None:
        if next(failures, False):
            raise RuntimeError("the database is away")

    bus = make_bus()
    recorder = Recorder(before=fail_twice).subscribe(bus)
    await bus.start()
    for number in range(5):
        bus.publish(event(number))
    await eventually(lambda: len(recorder.envelopes) == 5)
    assert recorder.numbers() == [0, 1, 2, 3, 4]


async def test_an_event_for_one_consumer_reaches_nobody_else(make_bus: MakeBus) -> None:
    bus = make_bus()
    one, other = Recorder().subscribe(bus, "one", STATUS), Recorder().subscribe(bus, "other")
    heard: list[Envelope] = []
    bus.listen(frozenset({METERS}), heard.append)
    await bus.start()
    await asyncio.gather(bus.publish(event(1), only="one"), bus.publish(event(2)))
    await eventually(lambda: one.envelopes and other.envelopes and heard)
    assert one.numbers() == [1], "though it did not ask for this key"
    assert other.numbers() == [2]
    assert [envelope.payload for envelope in heard] == [other.envelopes[0].payload]


async def test_an_event_that_nobody_keeps_is_not_confirmed(make_bus: MakeBus) -> None:
    bus = make_bus()
    Recorder().subscribe(bus, "statuses", STATUS)
    await bus.start()
    with pytest.raises(BusUnavailable):
        await asyncio.wait_for(bus.publish(event(1, key=METERS)), 1)
    await asyncio.wait_for(bus.publish(event(2, key=STATUS)), 1)


async def test_listeners_hear_what_passes_and_their_failures_harm_nobody(make_bus: MakeBus) -> None:
    def fail(_: Envelope) -> None:
        raise RuntimeError("a listener's own trouble")

    bus = make_bus()
    recorder = Recorder().subscribe(bus)
    heard: list[Envelope] = []
    bus.listen(frozenset({METERS}), fail)
    bus.listen(frozenset({METERS}), heard.append)
    await bus.start()
    await asyncio.gather(bus.publish(event(1)), bus.publish(event(2, key=STATUS)))
    await eventually(lambda: heard and len(recorder.envelopes) == 2)
    assert [envelope.key for envelope in heard] == [METERS]


async def test_too_much_that_waits_is_refused_at_once_and_taken_again_later(make_bus: MakeBus) -> None:
    bus = make_bus(waiting_envelopes=10)
    recorder = Recorder().subscribe(bus)
    waiting = [bus.publish(event(number)) for number in range(10)]
    with pytest.raises(BusFull):
        await bus.publish(event(10))
    assert bus.counters.waiting_envelopes == 10
    await bus.start()
    await asyncio.wait_for(asyncio.gather(*waiting), 5)
    await bus.publish(event(11))
    assert bus.counters.waiting_envelopes == bus.counters.waiting_bytes == 0
    await eventually(lambda: recorder.numbers() == [*range(10), 11])


async def test_waiting_bytes_are_bounded(make_bus: MakeBus) -> None:
    bus = make_bus(waiting_bytes=5000, publish_timeout_s=0.1)
    Recorder().subscribe(bus)
    bus.publish(event(1, padding=4000))
    with pytest.raises(BusFull):
        await bus.publish(event(2, padding=4000))


async def test_who_waits_long_learns_that_the_outcome_is_unknown_and_the_event_still_goes(make_bus: MakeBus) -> None:
    bus = make_bus(publish_timeout_s=0.1)
    recorder = Recorder().subscribe(bus)
    with pytest.raises(BusUnavailable, match="not confirmed"):
        await asyncio.wait_for(bus.publish(event(1)), 2)
    assert recorder.envelopes == []
    await bus.start()
    await eventually(lambda: recorder.numbers() == [1])


async def test_what_is_perishable_never_goes_once_its_caller_has_heard_that_it_did_not(make_bus: MakeBus) -> None:
    """It is handed over again: both would arrive, and the first one after what was published meanwhile."""
    bus = make_bus(publish_timeout_s=0.1)
    recorder = Recorder().subscribe(bus)
    for _ in range(2):
        outcomes = await asyncio.wait_for(
            asyncio.gather(*(bus.publish(event(n), perishable=True) for n in range(3)), return_exceptions=True), 2
        )
        assert [type(outcome) for outcome in outcomes] == [BusUnavailable] * 3
    lasting = bus.publish(event(3))
    await bus.start()
    await lasting
    await bus.publish(event(4), perishable=True)
    await eventually(lambda: recorder.numbers() == [3, 4])
    assert bus.counters.waiting_envelopes == bus.counters.waiting_bytes == 0


async def test_a_caller_that_gives_up_takes_nothing_back(make_bus: MakeBus) -> None:
    bus = make_bus()
    recorder = Recorder().subscribe(bus)
    bus.publish(event(1)).cancel()
    await bus.start()
    await bus.publish(event(2))
    await eventually(lambda: recorder.numbers() == [1, 2])


async def test_stop_flushes_what_waits(make_bus: MakeBus) -> None:
    bus = make_bus(batch_envelopes=2)
    Recorder().subscribe(bus)
    await bus.start()
    waiting = [bus.publish(event(number)) for number in range(50)]
    await bus.stop()
    assert all(future.done() and future.exception() is None for future in waiting)
    with pytest.raises(BusUnavailable):
        await bus.publish(event(51))


async def test_ready_from_the_start_to_the_stop(make_bus: MakeBus) -> None:
    bus = make_bus()
    before = bus.ready
    await bus.start()
    during = bus.ready
    await bus.stop()
    assert (before, during, bus.ready) == (False, True, False)


async def test_a_request_is_answered(make_bus: MakeBus) -> None:
    bus = make_bus()
    bus.serve("tests", {ASK: echo})
    await bus.start()
    questions = [event(number, key=ASK) for number in range(200)]
    answers = await asyncio.gather(*(bus.request(question, timeout=5) for question in questions))
    assert answers == [question.payload for question in questions]


async def test_a_handler_sees_the_envelope_of_the_request(make_bus: MakeBus) -> None:
    seen: list[Envelope] = []

    async def remember(envelope: Envelope) -> bytes:
        seen.append(envelope)
        return b"{}"

    bus = make_bus()
    bus.serve("tests", {ASK: remember})
    await bus.start()
    question = event(1, key=ASK)
    await bus.request(question, timeout=5)
    assert seen == [question]


async def test_a_request_without_an_answer_times_out_and_the_next_is_answered(make_bus: MakeBus) -> None:
    gate = asyncio.Event()

    async def wait(envelope: Envelope) -> bytes:
        await gate.wait()
        return envelope.payload

    bus = make_bus()
    bus.serve("tests", {ASK: wait})
    await bus.start()
    began = time.monotonic()
    with pytest.raises(RequestTimedOut):
        await bus.request(event(1, key=ASK), timeout=0.2)
    assert time.monotonic() - began < 1
    gate.set()
    assert await bus.request(event(2, key=ASK), timeout=5)


async def test_a_slow_request_does_not_hold_up_others(make_bus: MakeBus) -> None:
    async def answer(envelope: Envelope) -> bytes:
        await asyncio.sleep(1 if b'"number":0' in envelope.payload else 0)
        return envelope.payload

    bus = make_bus()
    bus.serve("tests", {ASK: answer})
    await bus.start()
    slow = asyncio.ensure_future(bus.request(event(0, key=ASK), timeout=5))
    await asyncio.gather(*(bus.request(event(number, key=ASK), timeout=5) for number in range(1, 20)))
    assert not slow.done()
    await slow


async def test_no_more_requests_run_at_a_time_than_allowed(make_bus: MakeBus) -> None:
    running, most = 0, 0

    async def count(_: Envelope) -> bytes:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return b"{}"

    bus = make_bus(concurrent_requests=3)
    bus.serve("tests", {ASK: count})
    await bus.start()
    await asyncio.gather(*(bus.request(event(number, key=ASK), timeout=5) for number in range(20)))
    assert most == 3


async def test_a_request_that_nobody_serves_fails_at_once(make_bus: MakeBus) -> None:
    bus = make_bus()
    await bus.start()
    began = time.monotonic()
    with pytest.raises(NoHandler):
        await bus.request(event(1, key=ASK), timeout=5)
    assert time.monotonic() - began < 0.5


async def test_a_refusal_carries_its_code_and_a_bug_is_internal(make_bus: MakeBus) -> None:
    async def refuse(envelope: Envelope) -> bytes:
        if b'"number":1' in envelope.payload:
            raise RequestFailed("too_late", "it\nis over")
        raise ZeroDivisionError

    bus = make_bus()
    bus.serve("tests", {ASK: refuse})
    await bus.start()
    with pytest.raises(RequestFailed) as refusal:
        await bus.request(event(1, key=ASK), timeout=5)
    assert (refusal.value.code, refusal.value.detail) == ("too_late", "it\nis over")
    with pytest.raises(RequestFailed) as bug:
        await bus.request(event(2, key=ASK), timeout=5)
    assert bug.value.code == "internal"


async def test_a_command_reaches_the_attached_handler(make_bus: MakeBus) -> None:
    bus = make_bus()
    await bus.start()
    await bus.attach("CP-1", echo)
    command = event(1, key=ASK, station="CP-1")
    assert await bus.command(command, timeout=5) == command.payload


async def test_a_command_for_a_station_that_is_not_connected_fails_at_once(make_bus: MakeBus) -> None:
    bus = make_bus()
    await bus.start()
    await bus.attach("CP-2", echo)
    began = time.monotonic()
    with pytest.raises(StationOffline):
        await bus.command(event(1, key=ASK, station="CP-1"), timeout=5)
    assert time.monotonic() - began < 0.5


async def test_the_newest_handler_of_a_station_wins_and_an_older_cannot_detach_it(make_bus: MakeBus) -> None:
    async def newer(_: Envelope) -> bytes:
        return b'"newer"'

    bus = make_bus()
    await bus.start()
    await bus.attach("CP-1", echo)
    await bus.attach("CP-1", newer)
    await bus.detach("CP-1", echo)
    assert await bus.command(event(1, key=ASK), timeout=5) == b'"newer"'
    await bus.detach("CP-1", newer)
    with pytest.raises(StationOffline):
        await bus.command(event(2, key=ASK), timeout=5)


async def test_a_station_that_left_while_it_was_commanded_is_offline(make_bus: MakeBus) -> None:
    async def gone(_: Envelope) -> bytes:
        raise StationOffline("CP-1")

    bus = make_bus()
    await bus.start()
    await bus.attach("CP-1", gone)
    with pytest.raises(StationOffline):
        await bus.command(event(1, key=ASK), timeout=5)


async def test_a_storm_of_stations_is_attached_and_detached(make_bus: MakeBus) -> None:
    bus = make_bus()
    await bus.start()
    names = [f"CP-{number}" for number in range(1000)]
    await asyncio.gather(*(bus.attach(name, echo) for name in names))
    assert await bus.command(event(1, key=ASK, station=names[-1]), timeout=5)
    await asyncio.gather(*(bus.detach(name, echo) for name in names[:-1]))
    await bus.attach(names[0], echo)
    for name in (names[0], names[-1]):
        assert await bus.command(event(1, key=ASK, station=name), timeout=5)
    with pytest.raises(StationOffline):
        await bus.command(event(1, key=ASK, station=names[1]), timeout=5)


async def test_names_that_stations_may_have_are_carried(make_bus: MakeBus) -> None:
    bus = make_bus()
    await bus.start()
    for name in ("*", "#", "a.b", "é€😀 /%", "x" * 48):
        await bus.attach(name, echo)
        assert await bus.command(event(1, key=ASK, station=name), timeout=5)
    with pytest.raises(StationOffline):
        await bus.command(event(1, key=ASK, station="other"), timeout=5)


async def test_a_probe_finds_the_queue_of_a_consumer_and_nobody_sees_it(make_bus: MakeBus) -> None:
    bus = make_bus()
    recorder = Recorder().subscribe(bus, "recorder", STATUS)
    await bus.start()
    for shard in range(bus.limits.shards):
        await bus.probe("recorder", shard)
        with pytest.raises(Unroutable):
            await bus.probe("nobody", shard)
    assert recorder.envelopes == []


async def test_an_echo_comes_back_while_the_bus_runs(make_bus: MakeBus) -> None:
    bus = make_bus()
    await bus.start()
    await bus.echo(timeout=5)
    assert bus.connected
    await bus.stop()
    assert not bus.connected
