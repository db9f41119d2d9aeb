import dataclasses
import json
from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from communication_service.ocpp import frames
from communication_service.ocpp.errors import Fault, Refusal
from communication_service.ocpp.frames import (
    Call,
    CallError,
    CallResult,
    CallResultError,
    Malformed,
    Quirk,
    Send,
    parse,
)
from communication_service.ocpp.versions import Version

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)
frame_like = st.tuples(st.sampled_from([2, 3, 4, 5, 6]) | scalars, scalars).flatmap(
    lambda head: st.lists(values, max_size=4).map(lambda rest: json.dumps([*head, *rest]))
)
anything = st.text(st.characters(codec=None)) | values.map(json.dumps) | frame_like


@given(anything, st.sampled_from(Version), st.booleans())
def test_no_text_makes_parse_raise_and_whatever_it_yields_can_be_stored(
    text: str, version: Version, strict: bool
) -> None:
    frame = parse(text, version, strict=strict)

    assert isinstance(frame, frames.Frame)
    stored = orjson.dumps(dataclasses.asdict(frame))  # which refuses lone surrogates
    assert b"\\u0000" not in stored.replace(b"\\\\", b"")
    if isinstance(frame, Malformed) and frame.answer is not None:
        assert len(json.loads(frame.answer)) == 5


@given(frame_like, st.integers(0, 200), st.sampled_from(Version))
def test_a_frame_that_is_cut_anywhere_does_not_make_parse_raise(text: str, end: int, version: Version) -> None:
    assert isinstance(parse(text[:end], version), frames.Frame)


@pytest.mark.parametrize("version", Version)
def test_frames_of_every_version_are_read(version: Version) -> None:
    assert parse('[2,"7","Heartbeat",{}]', version) == Call("7", "Heartbeat", {})
    assert parse('[3,"7",{"a":1}]', version) == CallResult("7", {"a": 1})
    assert parse('[4,"7","GenericError","why",{"a":1}]', version) == CallError("7", "GenericError", "why", {"a": 1})


def test_frames_new_in_2_1_are_read() -> None:
    assert parse('[5,"7","GenericError","",{}]', Version.V21) == CallResultError("7", "GenericError", "", {})
    assert parse('[6,"7","NotifyPeriodicEventStream",{}]', Version.V21) == Send("7", "NotifyPeriodicEventStream", {})


@pytest.mark.parametrize(
    ("text", "quirks"),
    [
        ('[2,7,"A",{}]', (Quirk.NUMERIC_ID,)),
        ('[2,"7","A"]', (Quirk.NULL_PAYLOAD,)),
        ('[2,"7","A",null]', (Quirk.NULL_PAYLOAD,)),
        ('[2,7,"A",{},0]', (Quirk.NUMERIC_ID, Quirk.EXTRA_ELEMENTS)),
        ('[3,"7"]', (Quirk.NULL_PAYLOAD,)),
        ('[3,"7",{},0]', (Quirk.EXTRA_ELEMENTS,)),
        ('\ufeff[2,"7","A",{"a":"\\u0000"}]', (Quirk.BYTE_ORDER_MARK, Quirk.TEXT_REPLACED)),
        (r'[2,"7","A",{"a":"\u00e9"}]', ()),
    ],
)
def test_what_was_tolerated_is_noted(text: str, quirks: tuple[Quirk, ...]) -> None:
    frame = parse(text, Version.V16)

    assert not isinstance(frame, Malformed)
    assert set(frame.quirks) == set(quirks)


def test_nul_and_lone_surrogates_arrive_as_replacement_characters() -> None:
    frame = parse(r'[2,"7","A",{"a\u0000":["\ud800x","\ud83d\ude00","\\u0000"]}]', Version.V16)

    assert isinstance(frame, Call)
    assert frame.payload == {"a\ufffd": ["\ufffdx", "😀", "\\u0000"]}
    assert frame.quirks == (Quirk.TEXT_REPLACED,)


def test_the_last_of_duplicate_keys_wins_unless_the_profile_is_strict() -> None:
    text = '[2,"7","A",{"a":1,"a":2}]'
    strict = parse(text, Version.V16, strict=True)

    assert parse(text, Version.V16) == Call("7", "A", {"a": 2})
    assert isinstance(strict, Malformed)
    assert strict.defect is frames.Defect.DUPLICATE_KEYS


def test_a_broken_answer_tells_which_call_it_was_for() -> None:
    frame = parse('[3,"7",{"status":', Version.V16)

    assert isinstance(frame, Malformed)
    assert (frame.message_type, frame.message_id, frame.answer) == (3, "7", None)


def test_our_frames_are_written_as_the_specification_says() -> None:
    refusal = Refusal(Fault.FORMAT, "why", {"a": 1})

    assert frames.dump_call("7", "Reset", {"type": "Hard"}) == '[2,"7","Reset",{"type":"Hard"}]'
    assert frames.dump_result(7, {}) == "[3,7,{}]"
    assert frames.dump_error("7", refusal, Version.V16) == '[4,"7","FormationViolation","why",{"a":1}]'
    assert frames.dump_result_error("7", refusal, Version.V21) == '[5,"7","FormatViolation","why",{"a":1}]'


def test_times_are_written_in_utc() -> None:
    at = datetime(2026, 1, 1, 2, 0, 0, 1, tzinfo=timezone(timedelta(hours=2)))

    assert frames.dump_result("7", {"a": at, "b": at.astimezone(UTC)}) == (
        '[3,"7",{"a":"2026-01-01T02:00:00+02:00","b":"2026-01-01T00:00:00Z"}]'
    )


def test_what_json_cannot_carry_is_an_error_of_ours() -> None:
    with pytest.raises(TypeError):
        frames.dump_call("7", "DataTransfer", {"data": "\ud800"})
