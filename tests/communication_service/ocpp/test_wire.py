"""Primitives between the wire and the contracts."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from communication_service.ocpp.route import Context, NotExpressible
from communication_service.ocpp.wire import moment, stamp, tenths, whole

RECEIVED_AT = datetime(2025, 3, 1, 12, tzinfo=UTC)
CONTEXT = Context("CS1", "1.6", RECEIVED_AT, timezone(timedelta(hours=2)))


def test_a_credible_time_is_the_stations_own() -> None:
    flags: list[str] = []
    assert moment("2025-03-01T11:59:00Z", CONTEXT, flags) == datetime(2025, 3, 1, 11, 59, tzinfo=UTC)
    assert flags == []


def test_a_time_without_a_zone_is_local_to_the_station() -> None:
    flags: list[str] = []
    assert moment("2025-03-01T12:00:00", CONTEXT, flags) == datetime(2025, 3, 1, 10, tzinfo=UTC)
    assert flags == ["time_no_zone:2025-03-01T12:00:00"]


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("1970-01-01T00:00:05Z", "time_not_credible:1970-01-01T00:00:05Z"),
        ("2025-03-03T12:00:00Z", "time_not_credible:2025-03-03T12:00:00Z"),
        ("222222017-01-01T00:00:00Z", "time_out_of_range:222222017-01-01T00:00:00Z"),
        ("1000000", "time_unparseable:1000000"),
        ("", "time_absent"),
        (None, "time_absent"),
    ],
)
def test_a_time_that_cannot_be_true_becomes_the_time_of_receipt_and_its_text_a_flag(
    text: str | None, flag: str
) -> None:
    flags: list[str] = []
    assert moment(text, CONTEXT, flags) == RECEIVED_AT
    assert flags == [flag]


@pytest.mark.parametrize(
    ("value", "number", "flags"),
    [
        (7, 7, []),
        (1.0, 1, []),
        (-1, -1, ["connector_id_negative"]),
        (2**31, 2**31 - 1, ["connector_id_out_of_range:2147483648"]),
        (-(2**40), -(2**31), ["connector_id_negative", "connector_id_out_of_range:-1099511627776"]),
    ],
)
def test_a_whole_number_fits_and_says_if_it_was_odd(value: float, number: int, flags: list[str]) -> None:
    found: list[str] = []
    assert whole(value, "connector_id", found) == number
    assert found == flags


def test_the_largest_transaction_number_fits_64_bits() -> None:
    assert whole(2**63 - 1, "number", [], bits=64) == 2**63 - 1


@pytest.mark.parametrize(
    ("limit", "written"),
    [
        ("16", b"16"),
        ("16.0", b"16"),
        ("8.1", b"8.1"),
        ("6.25", b"6.2"),
        ("6.35", b"6.4"),
        ("0.04", b"0"),
        ("1E+3", b"1000"),
    ],
)
def test_a_limit_has_at_most_one_decimal_half_to_even(limit: str, written: bytes) -> None:
    assert orjson.dumps(tenths(Decimal(limit))) == written


@given(st.integers(0, 10**10))
def test_a_limit_with_one_decimal_stays_exact(tenth_parts: int) -> None:
    limit = Decimal(tenth_parts) / 10
    assert Decimal(str(orjson.loads(orjson.dumps(tenths(limit))))) == limit


def test_an_absurd_limit_is_refused() -> None:
    with pytest.raises(NotExpressible, match="out of range"):
        tenths(Decimal("1e40"))


def test_times_are_written_in_utc() -> None:
    assert stamp(datetime(2025, 3, 1, 14, tzinfo=timezone(timedelta(hours=2)))) == "2025-03-01T12:00:00.000Z"
