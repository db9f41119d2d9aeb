"""Allowances of failures, with a clock that the test turns."""

from dataclasses import dataclass

from communication_service.guard import Guard


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def fail(guard: Guard, source: str, station_id: str, times: int) -> list[bool]:
    return [guard.failed(source, station_id, guessed=True) for _ in range(times)]


def test_the_last_failure_allowed_is_told_and_time_gives_new_ones() -> None:
    clock = Clock()
    guard = Guard(per_source=100, per_station=3, clock=clock)

    assert guard.wait_s("a", "CS1") == 0
    assert fail(guard, "a", "CS1", 3) == [False, False, True]
    assert guard.wait_s("a", "CS1") == 20
    clock.now += 20
    assert guard.wait_s("a", "CS1") == 0
    assert fail(guard, "a", "CS1", 1) == [True]
    clock.now += 3600
    assert fail(guard, "a", "CS1", 3) == [False, False, True]


def test_one_address_cannot_use_up_what_a_station_has_for_all() -> None:
    guard = Guard(per_source=1000, per_station=3, clock=Clock())
    fail(guard, "a", "CS1", 3)

    assert guard.wait_s("a", "CS1") > 0
    assert guard.wait_s("b", "CS1") == 0
    assert guard.wait_s("a", "CS2") == 0


def test_ten_addresses_can_but_not_for_the_address_that_the_station_was_at() -> None:
    guard = Guard(per_source=1000, per_station=3, clock=Clock())
    guard.proved("home", "CS1")
    for number in range(10):
        fail(guard, f"10.0.0.{number}", "CS1", 3)

    assert guard.wait_s("new", "CS1") > 0
    assert guard.wait_s("home", "CS1") == 0
    assert guard.wait_s("new", "CS2") == 0


def test_what_shows_nothing_uses_up_nothing_of_the_station() -> None:
    guard = Guard(per_source=10, per_station=1, clock=Clock())
    for number in range(100):
        guard.failed(f"10.0.0.{number}", "CS1", guessed=False)

    assert guard.wait_s("new", "CS1") == 0


def test_an_address_that_tries_many_stations_waits_for_all_but_those_it_is() -> None:
    guard = Guard(per_source=5, per_station=3, clock=Clock())
    guard.proved("a", "CS1")
    for number in range(5):
        guard.failed("a", f"X{number}", guessed=False)

    assert guard.wait_s("a", "CS2") > 0
    assert guard.wait_s("a", "CS1") == 0
    assert guard.wait_s("b", "CS2") == 0


def test_a_network_of_one_site_is_one_address() -> None:
    guard = Guard(per_source=100, per_station=2, clock=Clock())
    guard.failed("2001:db8::1", "CS1", guessed=True)
    guard.failed("2001:db8::ffff", "CS1", guessed=True)

    assert guard.wait_s("2001:db8::2", "CS1") > 0
    assert guard.wait_s("2001:db8:0:1::2", "CS1") == 0


def test_memory_is_bounded_whoever_tries() -> None:
    guard = Guard(per_source=5, per_station=5, clock=Clock())
    for number in range(60_000):
        guard.failed(f"{number}", f"X{number}", guessed=True)

    kept = [guard._of_pairs, guard._of_sources, guard._of_stations]
    assert [len(one._names) for one in kept] == [50_000] * 3
