from datetime import timedelta
from typing import Any

import pytest

from modules.transactions.domain.starts_and_stops import (
    closed,
    may_be_stopped_unnamed,
    opened,
    start_digest,
    stop_digest,
)
from modules.transactions.domain.transaction import Transaction, duration_s, energy_between, state_after
from shared_contracts.authorization import TokenJudged, TokenStatus
from shared_contracts.transactions import TransactionState
from tests.modules.transactions.messages import at, start, stop

FINISHED, FAILED = TransactionState.FINISHED, TransactionState.FAILED


def _open(**fields: Any) -> Transaction:
    return opened(start(**fields), TokenJudged(status=TokenStatus.ACCEPTED), transaction_id="t", number=5)


@pytest.mark.parametrize(
    ("reasons", "state"),
    [
        ("Local Remote EVDisconnected DeAuthorized UnlockCommand SoftReset Other", FINISHED),
        (
            "StoppedByEV TimeLimitReached EnergyLimitReached SOCLimitReached MasterPass LocalOutOfCredit Timeout",
            FINISHED,
        ),
        ("EmergencyStop PowerLoss HardReset Reboot", FAILED),
        ("PowerQuality GroundFault OvercurrentFault ImmediateReset", FAILED),
        ("emergencystop Exploded", FINISHED),
    ],
)
def test_the_stop_reason_says_whether_it_failed(reasons: str, state: TransactionState) -> None:
    for reason in reasons.split():
        assert state_after(reason) is state


@pytest.mark.parametrize(
    ("start_wh", "stop_wh", "lasted_s", "energy_wh", "flags"),
    [
        (1000, 8000, 3600, 7000, ()),
        (1000, 1000, 0, 0, ()),
        (8000, 1000, 3600, 0, ("suspect", "meter_decreased")),
        (-5, 5, 60, 10, ()),
        (0, 1_000_000, 3600, 1_000_000, ()),
        (0, 1_000_001, 3600, 1_000_001, ("suspect", "power_implausible")),
        (1000, 3_700_000, 3600, 3_699_000, ("suspect", "power_implausible")),
        (0, 16_000, 0, 16_000, ()),
        (0, 17_000, 0, 17_000, ("suspect", "power_implausible")),
        (-(2**63), 2**63 - 1, 60, 2**62, ("suspect", "power_implausible")),
    ],
)
def test_energy_is_the_difference_of_the_registers(
    start_wh: int, stop_wh: int, lasted_s: int, energy_wh: int, flags: tuple[str, ...]
) -> None:
    assert energy_between(start_wh, stop_wh, lasted_s) == (energy_wh, flags)


def test_a_duration_is_never_negative() -> None:
    assert duration_s(at(0), at(1.5)) == 90
    assert duration_s(at(1), at(0)) == 0


def test_a_stop_ends_the_transaction() -> None:
    ended = closed(_open(), stop(5, reason="PowerLoss"))

    assert (ended.state, ended.reason, ended.energy_wh, ended.ended_at) == (FAILED, "PowerLoss", 7000, at(60))
    assert (ended.flags, ended.offline, ended.ended_revision) == ((), False, 1)


def test_a_stop_before_the_start_is_flagged() -> None:
    ended = closed(_open(), stop(5, stopped_at=at(-10), meter_stop_wh=1010))

    assert (ended.ended_at, ended.flags) == (at(-10), ("clock_jump",))


@pytest.mark.parametrize(("late", "offline"), [(timedelta(minutes=2), False), (timedelta(days=3), True)])
def test_what_is_delivered_late_was_offline(late: timedelta, offline: bool) -> None:
    assert _open(received_at=at(0) + late).offline is offline
    assert closed(_open(), stop(5, received_at=at(60) + late)).offline is offline


def test_a_retry_of_a_start_has_the_same_digest() -> None:
    original = start_digest(start())

    assert start_digest(start(id_token="aB1", received_at=at(90))) == original
    for other in ({"station_id": "CS2"}, {"connector_id": 2}, {"id_token": "c"}, {"meter_start_wh": 1}):
        assert start_digest(start(**other)) != original
    assert start_digest(start(started_at=at(1))) != original


@pytest.mark.parametrize(
    "flag", ["time_absent", "time_unparseable:x", "time_out_of_range:9999", "time_not_credible:1970-01-01T00:00:00Z"]
)
def test_a_retry_without_a_credible_time_has_the_same_digest(flag: str) -> None:
    """The edge puts the time of receipt in its place, which is another one for the retry."""
    first, retry = start(flags=(flag,)), start(started_at=at(1), flags=(flag,))

    assert start_digest(first) == start_digest(retry)
    assert stop_digest(stop(1, flags=(flag,))) == stop_digest(stop(1, stopped_at=at(61), flags=(flag,)))


def test_a_retry_of_a_stop_has_the_same_digest() -> None:
    original = stop_digest(stop(5, id_token="a"))

    assert stop_digest(stop(5, id_token="A", received_at=at(90))) == original
    for other in ({"number": 6}, {"id_token": None}, {"meter_stop_wh": 1}, {"reason": "Other"}, {"stopped_at": at(1)}):
        assert stop_digest(stop(5, id_token="a").model_copy(update=other)) != original


@pytest.mark.parametrize(
    ("number", "fields", "may"),
    [
        (0, {}, True),
        (-1, {}, True),
        (7, {}, False),
        (0, {"meter_stop_wh": 999}, False),
        (0, {"stopped_at": at(-1)}, False),
        (0, {"id_token": "aB1"}, True),
        (0, {"id_token": "other"}, False),
    ],
)
def test_a_stop_without_a_number_must_fit_the_only_open_transaction(
    number: int, fields: dict[str, Any], may: bool
) -> None:
    assert may_be_stopped_unnamed(_open(), stop(number, **fields)) is may
