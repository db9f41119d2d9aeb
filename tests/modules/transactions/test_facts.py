"""F32: reports of a 2.x station in any order: the result is the same (OCPP 2.0.1 E01-E15)."""

from functools import reduce
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from modules.transactions.domain.facts import Facts, facts_of, join
from modules.transactions.domain.figures import started_at, with_facts
from modules.transactions.domain.transaction import Transaction
from shared_contracts.authorization import JudgeToken, TokenStatus
from shared_contracts.transactions import TransactionReport, TransactionState
from tests.modules.transactions.messages import accept, at, one_charge, reading, report


def _facts(told: TransactionReport) -> Facts:
    if told.id_token is None:
        return facts_of(told, None)
    return facts_of(told, accept(JudgeToken(station_id=told.station_id, id_token=told.id_token)))


def _result(told: list[Any]) -> Transaction:
    facts = reduce(join, map(_facts, told))
    return with_facts(Transaction("t", "CS1", "r", started_at(facts), facts.received_at), facts)


_readings = st.builds(
    reading,
    st.integers(0, 90),
    st.integers(0, 20_000),
    context=st.sampled_from(["Transaction.Begin", "Sample.Periodic", "Transaction.End"]),
)
_reports = st.builds(
    report,
    st.sampled_from(["started", "updated", "updated", "ended"]),
    st.integers(0, 4),
    st.integers(0, 90),
    trigger_reason=st.sampled_from(["Authorized", "StopAuthorized", "MeterValuePeriodic"]),
    offline=st.booleans(),
    evse_id=st.none() | st.integers(0, 2),
    connector_id=st.none() | st.integers(0, 2),
    id_token=st.none() | st.sampled_from(["a", "A", "blocked", ""]),
    charging_state=st.none() | st.sampled_from(["Charging", "Idle"]),
    stopped_reason=st.none() | st.sampled_from(["Remote", "PowerLoss"]),
    remote_start_id=st.none() | st.integers(0, 2),
    readings=st.lists(_readings, max_size=2).map(tuple),
    flags=st.lists(st.sampled_from(["x", "y"]), max_size=1).map(tuple),
)


@given(told=st.lists(_reports, min_size=1, max_size=7), data=st.data())
def test_any_order_of_the_same_reports_ends_in_the_same_transaction(told: list[Any], data: st.DataObject) -> None:
    repeated = told + data.draw(st.lists(st.sampled_from(told), max_size=3))
    shuffled = data.draw(st.permutations(repeated))

    assert _result(shuffled) == _result(told)


@given(st.lists(_reports, min_size=3, max_size=3))
def test_reports_may_be_gathered_in_batches(told: list[Any]) -> None:
    one, other, third = map(_facts, told)

    assert join(join(one, other), third) == join(one, join(other, third))


@given(st.permutations(one_charge()))
def test_an_ordinary_charge_has_its_figures_whatever_the_order(told: list[Any]) -> None:
    result = _result(told)

    assert (result.state, result.reason) == (TransactionState.FINISHED, "EVDisconnected")
    assert (result.started_at, result.ended_at) == (at(0), at(60))
    assert (result.meter_start_wh, result.meter_stop_wh, result.energy_wh) == (1000, 6000, 5000)
    assert (result.id_token, result.authorization) == ("Ab1", TokenStatus.ACCEPTED)
    assert (result.evse_id, result.connector_id, result.remote_start_id) == (1, 1, 7)
    assert (result.charging_state, result.last_sequence_number) == ("Idle", 4)
    assert (result.offline, result.flags) == (True, ("time_no_zone:x",))


def test_a_lost_update_is_flagged_and_a_lost_start_too() -> None:
    started, charging, *_, ended = one_charge()

    assert "sequence_gap" in _result([started, charging, ended]).flags
    assert "start_missing" in _result([charging, ended]).flags
    assert _result([charging, ended]).started_at == at(1)


@given(lost=st.sets(st.integers(0, 3)), data=st.data())
def test_whatever_is_lost_doubled_or_out_of_order_is_told_and_the_end_counts(
    lost: set[int], data: st.DataObject
) -> None:
    kept = [told for told in one_charge() if told.sequence_number not in lost]
    doubled = kept + data.draw(st.lists(st.sampled_from(kept), max_size=3))
    result = _result(data.draw(st.permutations(doubled)))

    assert (result.state, result.ended_at, result.meter_stop_wh) == (TransactionState.FINISHED, at(60), 6000)
    assert ("start_missing" in result.flags) == (0 in lost)
    assert ("sequence_gap" in result.flags) == (0 not in lost and bool(lost))
    assert 0 in lost or result.energy_wh == 5000


def test_a_station_that_always_counts_zero_has_no_gaps() -> None:
    told = [told.model_copy(update={"sequence_number": 0}) for told in one_charge()]

    assert _result(told).flags == ("time_no_zone:x",)
    assert _result(told).energy_wh == 5000


def test_the_register_is_taken_from_first_and_last_where_nothing_is_marked() -> None:
    told = [
        report("started", 0, 0),
        report("updated", 1, 10, readings=(reading(10, 500),)),
        report("updated", 2, 20, readings=(reading(20, 900),)),
        report("ended", 3, 30),
    ]

    assert (_result(told).energy_wh, _result(told).reason) == (400, "Local")


def test_a_single_reading_tells_no_energy() -> None:
    told = [report("started", 0, 0, readings=(reading(0, 500),)), report("ended", 1, 30)]

    assert _result(told).energy_wh is None


def test_an_update_after_the_end_does_not_change_the_energy() -> None:
    late = report("updated", 5, 70, readings=(reading(70, 9999),))

    assert _result([*one_charge(), late]).energy_wh == 5000


def test_the_token_that_stops_is_not_the_token_of_the_transaction() -> None:
    told = [
        report("started", 0, 0),
        report("updated", 1, 1, id_token="mine"),
        report("updated", 2, 9, id_token="stopper", trigger_reason="StopAuthorized"),
        report("ended", 3, 9, id_token="stopper"),
    ]

    assert _result(told).id_token == "mine"


def test_an_accepted_token_counts_before_one_that_was_refused_earlier() -> None:
    told = [report("started", 0, 0), report("updated", 1, 1, id_token="blocked"), report("updated", 2, 2, id_token="b")]

    assert (_result(told).id_token, _result(told).authorization) == ("b", TokenStatus.ACCEPTED)
    assert _result(told[:2]).authorization is TokenStatus.BLOCKED


def test_an_end_before_the_start_is_flagged() -> None:
    assert "clock_jump" in _result([report("started", 0, 10), report("ended", 1, 5)]).flags
