"""The lane that batches events, against a carrier that does what the test says."""

import asyncio
from dataclasses import replace

import pytest

from shared_contracts.batches import Batch
from shared_contracts.bus import Backlog, BusUnavailable, Counters, Limits, Unroutable
from shared_contracts.gather import BURST
from shared_contracts.publisher import Publisher
from tests.shared_contracts.carriers import STATUS, event, eventually, number_of

ONE_SHARD = Limits(shards=1, publish_timeout_s=0.2, pace_s=0.0)


class Carrier:
    """Notes each attempt, and waits or fails as told."""

    def __init__(self) -> None:
        self.attempts: list[tuple[str, list[int]]] = []
        self.bodies: list[bytes] = []
        self.errors: list[Exception] = []
        self.open = asyncio.Event()
        self.open.set()

    async def send(self, batch: Batch) -> None:
        self.attempts.append((batch.id, [number_of(envelope) for envelope in batch.envelopes]))
        self.bodies.append(batch.body)
        await self.open.wait()
        if self.errors:
            raise self.errors.pop(0)

    @property
    def numbers(self) -> list[list[int]]:
        return [numbers for _, numbers in self.attempts]


def publisher(carrier: Carrier, **limits: float) -> Publisher:
    return Publisher(carrier.send, replace(ONE_SHARD, **limits), Counters())  # type: ignore[arg-type]  # any limit


async def test_an_idle_lane_sends_at_once_and_a_busy_one_gathers() -> None:
    carrier = Carrier()
    lanes = publisher(carrier)
    carrier.open.clear()
    first = lanes.publish(event(0), None)
    await eventually(lambda: carrier.attempts)
    rest = [lanes.publish(event(number), None) for number in range(1, 6)]
    carrier.open.set()
    await asyncio.gather(first, *rest)
    assert carrier.numbers == [[0], [1, 2, 3, 4, 5]]


async def test_a_failed_batch_is_sent_again_as_it_was_before_anything_later() -> None:
    carrier = Carrier()
    carrier.errors = [BusUnavailable("unknown"), RuntimeError("anything")]
    lanes = publisher(carrier)
    first = lanes.publish(event(0), None)
    await eventually(lambda: carrier.attempts)
    second = lanes.publish(event(1), None)
    await asyncio.gather(first, second)
    assert carrier.numbers == [[0], [0], [0], [1]]
    assert len({batch for batch, _ in carrier.attempts[:3]}) == 1, "under the same id"
    assert len(set(carrier.bodies[:3])) == 1, "to the byte"


async def test_an_unroutable_batch_is_given_up_and_the_next_goes_on() -> None:
    carrier = Carrier()
    carrier.errors = [Unroutable("nobody")]
    lanes = publisher(carrier)
    with pytest.raises(Unroutable):
        await lanes.publish(event(0), None)
    await lanes.publish(event(1), None)
    assert carrier.numbers == [[0], [1]]


async def test_futures_fail_after_a_while_and_the_events_are_sent_all_the_same() -> None:
    carrier = Carrier()
    lanes = publisher(carrier)
    carrier.open.clear()
    in_flight = lanes.publish(event(0), None)
    await eventually(lambda: carrier.attempts)
    waiting = lanes.publish(event(1), None)
    for future in (in_flight, waiting):
        with pytest.raises(BusUnavailable, match=r"not confirmed in 0\.6 s"):
            await future
    carrier.open.set()
    await eventually(lambda: carrier.numbers == [[0], [1]])


async def test_a_batch_is_bounded_in_count_and_bytes_but_takes_one_of_any_size() -> None:
    carrier = Carrier()
    lanes = publisher(carrier, batch_envelopes=3, batch_bytes=500)
    sizes = [0, 0, 0, 0, 1000, 0, 400, 400]
    await asyncio.gather(*(lanes.publish(event(at, padding=size), None) for at, size in enumerate(sizes)))
    assert carrier.numbers == [[0, 1, 2], [3], [4], [5, 6], [7]]


async def test_what_is_for_one_consumer_travels_apart_and_in_its_place() -> None:
    carrier = Carrier()
    lanes = publisher(carrier)
    addressees = [None, None, "a", "a", "b", None]
    await asyncio.gather(*(lanes.publish(event(at), only) for at, only in enumerate(addressees)))
    assert carrier.numbers == [[0, 1], [2, 3], [4], [5]]


async def test_after_a_burst_batches_keep_the_pace() -> None:
    carrier = Carrier()
    lanes = publisher(carrier, pace_s=0.05)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(BURST):
        await lanes.publish(event(number), None)
    burst_s = loop.time() - began
    for number in range(4):
        await lanes.publish(event(number), None)
    assert burst_s < 0.05
    assert loop.time() - began > 0.15


async def test_a_key_too_long_for_any_body_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 240"):
        publisher(Carrier()).publish(event(0, key="k" * 241), None)


async def test_stop_gives_up_in_time_and_says_so() -> None:
    carrier = Carrier()
    lanes = publisher(carrier)
    carrier.open.clear()
    stuck, behind = lanes.publish(event(0), None), lanes.publish(event(1, key=STATUS), None)
    async with asyncio.timeout(2):
        await lanes.stop()
    for future in (stuck, behind):
        with pytest.raises(BusUnavailable):
            await future


async def test_a_lane_is_stalled_when_its_oldest_event_waits_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared_contracts.publisher.STALLED_AFTER_S", 0.05)
    carrier = Carrier()
    lanes = publisher(carrier)
    carrier.open.clear()
    lanes.publish(event(0), None)
    assert not lanes.stalled
    await eventually(lambda: lanes.stalled)
    carrier.open.set()
    await eventually(lambda: not lanes.stalled)


async def test_a_lane_takes_nothing_while_a_queue_is_missing_that_a_probe_looked_for() -> None:
    carrier = Carrier()
    lanes = publisher(carrier)
    carrier.errors = [Unroutable("nobody")]
    with pytest.raises(Unroutable):
        await lanes.probe("transactions", 0)
    with pytest.raises(Unroutable, match="transactions"):
        await lanes.publish(event(1), None)
    assert len(carrier.attempts) == 1, "nothing was sent"
    await lanes.probe("transactions", 0)
    await lanes.publish(event(2), None)
    assert carrier.numbers[-1] == [2]


async def test_a_backlog_tells_load_from_silence() -> None:
    carrier = Carrier()
    lanes = publisher(carrier)
    assert lanes.backlogs() == (Backlog(),)
    carrier.open.clear()
    lanes.publish(event(0), None)
    await asyncio.sleep(0.3)
    [stuck] = lanes.backlogs()
    assert stuck.oldest_s == pytest.approx(0.3, abs=0.2)
    assert stuck.stuck_s == pytest.approx(stuck.oldest_s)
    waiting = lanes.publish(event(1), None)
    carrier.open.set()
    await eventually(lambda: len(carrier.attempts) == 2)
    carrier.open.clear()
    assert lanes.backlogs()[0].stuck_s < 0.2, "something was confirmed just now"
    carrier.open.set()
    await waiting
