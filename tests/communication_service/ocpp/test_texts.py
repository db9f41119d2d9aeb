import time

import pytest

from communication_service.ocpp import texts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r'"\u0000"', r'"\ufffd"'),
        (r'"\ud83d\ude00"', r'"\ud83d\ude00"'),
        (r'"\ud83dx\ude00"', r'"\ufffdx\ufffd"'),
        (r'"\uD800\uD83D\uDE00"', r'"\ufffd\uD83D\uDE00"'),
        (r'"C:\\u0000"', r'"C:\\u0000"'),
        (r'"C:\\\u0000"', r'"C:\\\ufffd"'),
        ('"\x00\ud800"', '"\ufffd\ufffd"'),
        (r'"\u00e9\n\"', r'"\u00e9\n\"'),
    ],
)
def test_only_nul_and_lone_surrogates_are_mended(text: str, expected: str) -> None:
    assert texts.mended(text) == expected


def test_what_is_storable_has_no_nul_character_and_no_lone_surrogate() -> None:
    assert texts.storable('[2,"\x00\ud800"\\u0000') == '[2,"\ufffd\ufffd"\\u0000'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[2,"id",', (2, "id")),
        (' [ 2 , "id"', (2, "id")),
        ('\ufeff[3,"id",{', (3, "id")),
        ("[2,17,", (2, 17)),
        ("[2,17", (2, None)),
        ("[2,-17,", (2, -17)),
        ('[2,"i\\u0064",', (2, None)),
        ('[2,"id', (2, None)),
        ('[2.0,"id",', (None, None)),
        ('["2","id",', (None, None)),
        ('{"a":[2,"id",', (None, None)),
        ("", (None, None)),
    ],
)
def test_the_head_of_a_broken_frame_is_read_as_far_as_it_is_certain(
    text: str, expected: tuple[int | None, str | int | None]
) -> None:
    assert texts.head(text) == expected


def nested(depth: int) -> list[object]:
    value: list[object] = []
    for _ in range(depth - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (nested(32), True),
        (nested(33), False),
        (dict.fromkeys(map(str, range(10_000))), True),
        (dict.fromkeys(map(str, range(10_001))), False),
        ([0] * 10_000, True),
        ([0] * 10_001, False),
        ([{"a": 0}] * 10_000, True),
        ([{"a": 0, "b": 0}] * 6_000, False),
        (["[{" * 40], True),
    ],
)
def test_limits_count_levels_keys_and_items(value: object, expected: bool) -> None:
    text = repr(value)
    assert texts.within_limits(text, value) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[NaN]", True),
        ('["a\\"NaN", -Infinity', True),
        ('["NaN"]', False),
        ('["a\\"NaN"]', False),
        ('["NaN', False),
    ],
)
def test_a_not_finite_number_is_seen_outside_texts_only(text: str, expected: bool) -> None:
    assert texts.has_not_finite(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [('{"a":1,"b":{"a":1}}', False), ('[{"b":{"a":1,"\\u0061":1}}]', True)],
)
def test_duplicate_keys_are_seen_at_any_depth(text: str, expected: bool) -> None:
    assert texts.has_duplicate_keys(text) is expected


@pytest.mark.parametrize("unit", ['"', '\\"', "\\", "9", "[", " ", "\ufeff", '"\\', "1,", "NaN", "\\ud800"])
@pytest.mark.parametrize("start", ["", '[2,"', '[2,"NaN'])
def test_no_text_of_a_megabyte_keeps_the_scans_busy(unit: str, start: str) -> None:
    text = start + unit * (2**20 // len(unit))
    began = time.process_time()

    texts.mended(text)
    texts.has_number_too_long(text)
    texts.has_not_finite(text)
    texts.head(text)

    assert time.process_time() - began < 3
