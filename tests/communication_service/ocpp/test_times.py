from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from communication_service.ocpp import times
from communication_service.ocpp.times import Reading, TimeFlag

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-01T00:00:00Z", NEW_YEAR),
        ("2026-01-01T00:00:00.000Z", NEW_YEAR),
        ("2026-01-01T00:00:00.123Z", NEW_YEAR + timedelta(milliseconds=123)),
        ("2026-01-01T00:00:00.123456789Z", NEW_YEAR + timedelta(microseconds=123456)),
        ("2026-01-01T02:00:00+02:00", NEW_YEAR),
        ("2025-12-31T18:30:00-05:30", NEW_YEAR),
    ],
)
def test_standard_times_are_read_without_a_flag(text: str, expected: datetime) -> None:
    assert times.parse(text) == Reading(expected)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T02:00:00+02",
        "2026-01-01T02:00:00+0200",
        "2026-01-01t00:00:00z",
        "2026-01-01T00:00:00z",
        "2026-01-01 00:00:00Z",
        " 2026-01-01T00:00:00,0Z",
        "2025-12-31T24:00:00Z",
        "2025-12-31T24:00:00.000Z",
    ],
)
def test_times_in_another_dress_are_read_and_flagged(text: str) -> None:
    assert times.parse(text) == Reading(NEW_YEAR, (TimeFlag.NOT_STANDARD,))


@pytest.mark.parametrize("text", ["2025-12-31T23:59:60Z", "2026-01-01T01:59:60+02:00"])
def test_a_leap_second_is_the_next_minute(text: str) -> None:
    assert times.parse(text).at == NEW_YEAR


@pytest.mark.parametrize("text", ["2026-01-01T00:00:00", "2026-01-01 00:00:00.000"])
def test_a_time_without_a_zone_is_local_to_the_station(text: str) -> None:
    kyiv = ZoneInfo("Europe/Kyiv")

    assert times.parse(text) == Reading(NEW_YEAR, (TimeFlag.NO_ZONE,))
    assert times.parse(text, kyiv) == Reading(NEW_YEAR - timedelta(hours=2), (TimeFlag.NO_ZONE,))


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-03-29T02:59:59", "2026-03-29T00:59:59"),
        ("2026-03-29T03:30:00", "2026-03-29T01:30:00"),
        ("2026-03-29T04:00:00", "2026-03-29T01:00:00"),
        ("2026-10-25T03:30:00", "2026-10-25T00:30:00"),
        ("2026-10-25T04:00:00", "2026-10-25T02:00:00"),
    ],
)
def test_an_hour_that_is_left_out_or_comes_twice_is_counted_from_before_the_change(text: str, utc: str) -> None:
    at = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert times.parse(text, ZoneInfo("Europe/Kyiv")) == Reading(at, (TimeFlag.NO_ZONE,))


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00+14:00",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59-14:00",
        "9999-12-31T24:00:00Z",
        "222222017-10-27T19:10:11Z",
        "2200-01-01T00:00:00Z",
    ],
)
def test_a_time_that_no_clock_of_ours_shows_is_out_of_range(text: str) -> None:
    reading = times.parse(text)

    assert reading.at is None
    assert TimeFlag.OUT_OF_RANGE in reading.flags


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "1000000",
        "now",
        "2026-01-01",
        "2026-W01-1T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T25:00:00Z",
        "2026-01-01T24:00:01Z",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00Z; DROP TABLE",
        "\uff12\uff10\uff12\uff16-01-01T00:00:00Z",
    ],
)
def test_what_is_no_time_is_unparseable(text: str | None) -> None:
    reading = times.parse(text)

    assert reading.at is None
    assert TimeFlag.UNPARSEABLE in reading.flags


@given(st.text() | st.from_regex(times._LENIENT))
def test_no_text_makes_parse_raise_and_a_time_it_yields_is_utc(text: str) -> None:
    reading = times.parse(text, ZoneInfo("Europe/Kyiv"))

    assert reading.at is not None or reading.flags
    assert reading.at is None or reading.at.tzinfo is UTC


@given(
    st.integers(0, 7_258_118_399_999_999).map(lambda us: datetime.fromtimestamp(0, UTC) + timedelta(microseconds=us))
)
def test_what_we_write_is_read_back_to_the_millisecond(at: datetime) -> None:
    reading = times.parse(times.to_wire(at))

    assert reading == Reading(at.replace(microsecond=at.microsecond // 1000 * 1000))


def test_we_write_utc_with_milliseconds() -> None:
    at = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert times.to_wire(at) == "2026-01-01T00:00:00.000Z"
