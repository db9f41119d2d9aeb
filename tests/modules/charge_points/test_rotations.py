"""The password that a station keeps admits it, whatever is lost on the way. OCPP 2.0.1 A01, security whitepaper."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from modules.charge_points.domain.rotations import MOST_OPEN, Answer, Keyring, Rotation, RotationState
from modules.charge_points.domain.stations import Credentials
from shared_contracts.commands import CommandOutcome

NOW = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
OLD = Credentials("old", "hash of old")


def rotation(name: str) -> Rotation:
    return Rotation(
        rotation_id=name,
        station_id="CS1",
        state=RotationState.SENT,
        command_id=f"command {name}",
        salt=name,
        credentials=Credentials(name, f"hash of {name}"),
        unconfirmed_revision=None,
        created_at=NOW,
    )


def said(name: str, outcome: CommandOutcome, status: str | None = None, error: str | None = None) -> Answer:
    return Answer(f"command {name}", outcome, status, error)


def begun(*names: str) -> Keyring:
    """Rotations of which none but the last has been answered."""
    keyring = Keyring(1, OLD)
    for name in names:
        if keyring.under_way is not None:
            keyring = keyring.answered(said(keyring.under_way.rotation_id, CommandOutcome.TIMED_OUT), NOW)
        keyring = keyring.begun(rotation(name))
    return keyring


def salts(keyring: Keyring) -> list[str]:
    return [credentials.salt for credentials in keyring.valid]


@pytest.mark.parametrize(
    ("outcome", "status", "error", "valid", "state"),
    [
        ("accepted", "Accepted", None, ["new"], "taken"),
        ("accepted", "RebootRequired", None, ["old", "new"], "awaiting_reboot"),
        ("rejected", "Rejected", None, ["old"], "not_taken"),
        ("rejected", "NotSupported", None, ["old"], "not_taken"),
        ("offline", None, None, ["old"], "not_taken"),
        ("expired", None, "Expired", ["old"], "not_taken"),
        ("invalid", None, "NotSupported", ["old"], "not_taken"),
        ("invalid", "accepted", None, ["old", "new"], "unconfirmed"),
        ("invalid", None, None, ["old", "new"], "unconfirmed"),
        ("failed", None, "InternalError", ["old", "new"], "unconfirmed"),
        ("timed_out", None, "Disconnected", ["old", "new"], "unconfirmed"),
    ],
)
def test_an_answer_decides_which_passwords_are_valid(
    outcome: str, status: str | None, error: str | None, valid: list[str], state: str
) -> None:
    keyring = begun("new").answered(said("new", CommandOutcome(outcome), status, error), NOW)

    assert salts(keyring) == valid
    assert [one.state for one in keyring.rotations] == [RotationState(state)]
    assert keyring.revision > begun("new").revision


def test_both_passwords_are_valid_from_before_the_new_one_is_sent() -> None:
    assert salts(begun("new")) == ["old", "new"]


@pytest.mark.parametrize(("shown", "valid"), [("old", ["old"]), ("new", ["new"])])
def test_a_login_after_a_lost_answer_tells_which_password_the_station_keeps(shown: str, valid: list[str]) -> None:
    lost = begun("new").answered(said("new", CommandOutcome.TIMED_OUT), NOW)

    assert salts(lost.shown(shown, lost.revision, NOW)) == valid


def test_a_login_with_the_old_password_from_before_the_answer_was_given_up_tells_nothing() -> None:
    sent = begun("new")
    lost = sent.answered(said("new", CommandOutcome.TIMED_OUT), NOW)

    assert salts(sent.shown("old", sent.revision, NOW)) == ["old", "new"]
    assert salts(lost.shown("old", sent.revision, NOW)) == ["old", "new"]


def test_a_login_with_the_new_password_needs_no_answer() -> None:
    assert salts(begun("new").shown("new", 0, NOW)) == ["new"]


def test_a_station_that_restarts_later_keeps_the_old_password_until_it_shows_the_new_one() -> None:
    later = begun("new").answered(said("new", CommandOutcome.ACCEPTED, "RebootRequired"), NOW)

    assert salts(later.shown("old", later.revision, NOW)) == ["old", "new"]
    assert salts(later.shown("new", later.revision, NOW)) == ["new"]


def test_an_answer_that_comes_late_says_nothing_of_a_password_sent_afterwards() -> None:
    keyring = begun("first", "second").answered(said("first", CommandOutcome.ACCEPTED, "Accepted"), NOW)

    assert salts(keyring) == ["first", "second"]


def test_an_operators_password_leaves_valid_only_what_is_on_its_way() -> None:
    assert salts(begun("first", "second").replaced(Credentials("mine", "h"), NOW)) == ["mine", "second"]


def test_a_rotation_that_is_over_holds_no_password() -> None:
    keyring = begun("first", "second").answered(said("second", CommandOutcome.ACCEPTED, "Accepted"), NOW)

    assert [(one.state, one.credentials, one.ended_at) for one in keyring.rotations] == [
        (RotationState.SUPERSEDED, None, NOW),
        (RotationState.TAKEN, None, NOW),
    ]


@dataclass(frozen=True)
class Login:
    salt: str
    revision: int


class AnyStation(RuleBasedStateMachine):
    """A station that takes or refuses, answers or not, at once or late, and reconnects; events that come late."""

    def __init__(self) -> None:
        super().__init__()
        self.keyring = Keyring(1, OLD)
        self.key = "old"
        self.after_reboot: str | None = None
        self.made = 0
        self.known_to_pod = 1
        self.at_station: str | None = None  # a CALL that the present connection brought, not yet looked at
        self.answers: list[Answer] = []  # on their way to us
        self.login = Login("old", 1)
        self.events: list[Login] = []

    @precondition(lambda self: self.keyring.under_way is None and not self.keyring.is_full)
    @rule()
    def rotate(self) -> None:
        self.made += 1
        self.keyring = self.keyring.begun(rotation(f"k{self.made}"))
        self.at_station = f"k{self.made}"

    @precondition(lambda self: self.at_station is not None)
    @rule(verdict=strategies.sampled_from(["Accepted", "RebootRequired", "Rejected"]), heard=strategies.booleans())
    def station_decides(self, verdict: str, heard: bool) -> None:
        name, self.at_station = self.at_station or "", None
        if verdict == "Accepted":
            self.key, self.after_reboot = name, None
        elif verdict == "RebootRequired":
            self.after_reboot = name
        if heard:
            outcome = CommandOutcome.REJECTED if verdict == "Rejected" else CommandOutcome.ACCEPTED
            self.answers.append(said(name, outcome, verdict))

    @precondition(lambda self: self.answers)
    @rule()
    def answer_arrives(self) -> None:
        self.keyring = self.keyring.answered(self.answers.pop(0), NOW)

    @precondition(lambda self: self.keyring.under_way is not None)
    @rule()
    def we_give_up_waiting(self) -> None:
        waiting = self.keyring.under_way
        assert waiting is not None
        self.keyring = self.keyring.answered(said(waiting.rotation_id, CommandOutcome.TIMED_OUT), NOW)

    @rule(lags=strategies.booleans())
    def station_reconnects(self, lags: bool) -> None:
        """The pod may not have heard yet of the last changes, but it knows all passwords or asks again."""
        self.at_station = None
        self.key, self.after_reboot = self.after_reboot or self.key, None
        assert self.key in salts(self.keyring), "locked out"
        self.known_to_pod = self.known_to_pod if lags else self.keyring.revision
        self.login = Login(self.key, self.known_to_pod)
        self.events.append(self.login)

    @rule()
    def pod_tells_again_of_the_connection(self) -> None:
        self.events.append(self.login)

    @precondition(lambda self: self.events)
    @rule()
    def event_arrives(self) -> None:
        event = self.events.pop(0)
        self.keyring = self.keyring.shown(event.salt, event.revision, NOW)

    @invariant()
    def the_password_that_the_station_has_is_valid(self) -> None:
        assert (self.after_reboot or self.key) in salts(self.keyring), "locked out"
        assert self.key in salts(self.keyring), "locked out"

    @invariant()
    def no_more_passwords_are_valid_than_in_doubt(self) -> None:
        assert len(salts(self.keyring)) <= MOST_OPEN + 1
        assert len(set(salts(self.keyring))) == len(salts(self.keyring))


TestAnyStation = AnyStation.TestCase
TestAnyStation.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
