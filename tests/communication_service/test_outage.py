"""When a shard's way to the broker is doubted, given up and trusted again, on a clock of the test's own."""

from dataclasses import dataclass, field

import pytest

from communication_service.outage import Path, Patience, State

PATIENCE = Patience(doubt_s=5, outage_s=15, proven_s=5)


@dataclass
class Watched:
    """A path that is looked at twice a second; probes are sent and confirmed whenever it is not silent."""

    path: Path = field(default_factory=lambda: Path(PATIENCE, 0.0))
    now: float = 0.0
    silent_since: float | None = None
    probed: bool = True
    proven_at: float = 0.0
    seen: list[tuple[float, State]] = field(default_factory=list)

    def passes(self, seconds: float, *, silent: bool) -> State:
        """Let time pass in which nothing goes through, or everything does."""
        if not silent:
            self.silent_since = None
        elif self.silent_since is None:
            self.silent_since = self.now
        until = self.now + seconds
        while self.now < until:
            self.now += 0.5
            self.look()
        return self.path.state

    def look(self) -> None:
        silent_s = 0.0 if self.silent_since is None else self.now - self.silent_since
        if self.silent_since is None and self.probed:
            self.proven_at = self.now - 0.1
        before = self.path.state
        after = self.path.see(self.now, silent_s=silent_s, proven_at=self.proven_at)
        if after is not before:
            self.seen.append((self.now, after))

    def frozen(self, seconds: float) -> None:
        """Nobody looks for so long: the process stood still."""
        self.now += seconds
        self.look()


def test_a_path_that_falls_silent_is_doubted_and_then_given_up() -> None:
    watched = Watched()
    watched.passes(20, silent=True)
    assert watched.seen == [(5.0, State.DOUBTED), (15.0, State.OUTAGE)]


def test_a_hiccup_changes_nothing_however_often_it_comes() -> None:
    watched = Watched()
    for _ in range(20):
        watched.passes(4.5, silent=True)
        watched.passes(0.5, silent=False)
    assert watched.seen == []


def test_it_is_trusted_again_only_when_it_was_proven_for_long_enough() -> None:
    watched = Watched()
    watched.passes(20, silent=True)
    assert watched.passes(4.5, silent=False) is State.OUTAGE
    assert watched.passes(2, silent=False) is State.OPEN


def test_silence_is_no_proof() -> None:
    watched = Watched(probed=False)
    watched.passes(20, silent=True)
    assert watched.passes(60, silent=False) is State.OUTAGE


def test_a_probe_that_was_sent_before_the_trouble_ended_proves_nothing() -> None:
    watched = Watched()
    watched.passes(20, silent=True)
    watched.probed, watched.silent_since = False, None
    watched.proven_at = 20.0
    assert watched.passes(10, silent=False) is State.OUTAGE


def test_a_path_that_flaps_is_given_up_and_stays_so() -> None:
    watched = Watched()
    watched.passes(6, silent=True)
    for _ in range(10):
        watched.passes(3, silent=False)
        watched.passes(4, silent=True)
    assert [state for _, state in watched.seen] == [State.DOUBTED, State.OUTAGE]


def test_a_doubted_path_that_recovers_lets_nobody_go() -> None:
    watched = Watched()
    watched.passes(8, silent=True)
    watched.passes(10, silent=False)
    assert [state for _, state in watched.seen] == [State.DOUBTED, State.OPEN]


@pytest.mark.parametrize("busy", [False, True])
def test_our_own_absence_is_no_trouble_of_the_broker(busy: bool) -> None:
    watched = Watched()
    watched.passes(3, silent=False)
    if busy:
        watched.silent_since = watched.now
    watched.frozen(60)
    watched.passes(2, silent=busy)
    watched.passes(5, silent=False)
    assert watched.seen == []


def test_trouble_that_lasted_before_our_absence_still_counts() -> None:
    watched = Watched()
    watched.passes(14, silent=True)
    watched.frozen(60)
    assert watched.path.state is State.DOUBTED
    assert watched.passes(2, silent=True) is State.OUTAGE


def test_an_impatient_setting_is_obeyed_within_its_own_time() -> None:
    watched = Watched(Path(Patience(doubt_s=0.5, outage_s=2, proven_s=1), 0.0))
    watched.passes(3, silent=True)
    assert watched.seen == [(0.5, State.DOUBTED), (2.0, State.OUTAGE)]
