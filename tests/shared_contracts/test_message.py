from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_contracts.authorization import JudgeToken, TokenJudged
from shared_contracts.message import Envelope, MalformedBody, new_id, pack, unpack
from tests.shared_contracts.carriers import event

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
envelopes = st.builds(
    Envelope,
    id=texts,
    key=texts,
    station_id=st.none() | texts,
    occurred_at=st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])),
    payload=st.sampled_from([b"{}", b'{"a":"\\n"}', '{"name":"é\u2028"}'.encode()]),
    cause=st.none() | texts,
    trace=st.none() | texts,
)


@given(st.lists(envelopes, min_size=1, max_size=5))
def test_what_is_packed_is_unpacked_the_same(batch: list[Envelope]) -> None:
    assert unpack(pack(batch)) == batch


def test_a_payload_over_several_lines_is_joined() -> None:
    spread = Envelope("1", "k", None, datetime.now(UTC), b'{\n  "a": 1\n}')
    first, second = unpack(pack([spread, event(2)]))
    assert first.payload == b'{   "a": 1 }'
    assert second.key == event(2).key


@given(st.binary(max_size=200))
def test_no_body_raises_anything_but_malformed(body: bytes) -> None:
    try:
        unpack(body)
    except MalformedBody:
        return


@pytest.mark.parametrize(
    "header",
    [
        b"[]",
        b"1",
        b'"x"',
        b"null",
        b"{}",
        b'{"id":1,"key":"k","at":"2026-01-01T00:00:00Z"}',
        b'{"id":"1","key":["k"],"at":"2026-01-01T00:00:00Z"}',
        b'{"id":"1","key":"k","at":"yesterday"}',
        b'{"id":"1","key":"k","at":7}',
        b'{"id":"1","key":"k","at":"2026-01-01T00:00:00"}',
        b'{"id":"1","key":"k","at":"2026-01-01T00:00:00Z","station":5}',
    ],
)
def test_a_header_that_lacks_or_mistypes_something_is_malformed(header: bytes) -> None:
    with pytest.raises(MalformedBody):
        unpack(header + b"\n{}")


def test_ids_are_distinct_and_sort_by_the_time_they_were_made() -> None:
    ids = [new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert [one[:12] for one in ids] == sorted(one[:12] for one in ids)


def test_a_request_knows_its_reply() -> None:
    assert JudgeToken.reply_type() is TokenJudged


def test_an_envelope_belongs_to_the_station_of_its_message() -> None:
    sealed = Envelope.of(JudgeToken(station_id="CP-1", id_token="AA"), cause="why", trace="trail")
    assert (sealed.station_id, sealed.cause, sealed.trace) == ("CP-1", "why", "trail")
    assert sealed.read(JudgeToken).id_token == "AA"
