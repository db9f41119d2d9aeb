"""Lists: a page at a time, and cursors that nobody makes but us."""

import base64
from datetime import UTC, datetime
from uuid import UUID

import orjson
import pytest

from modules.kernel.errors import InvalidRequest
from modules.kernel.http import Paging, View, decode_cursor, encode_cursor, page_of

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, UTC)
ID = UUID("01234567-89ab-cdef-0123-456789abcdef")


class Seen(View):
    number: int


def _page(count: int, limit: int) -> tuple[list[int], str | None]:
    page = page_of(range(count), Paging(limit=limit), lambda number: Seen(number=number), lambda number: (number,))
    return [item.number for item in page.items], page.next_cursor


def test_one_item_more_than_asked_for_leads_to_another_page() -> None:
    assert _page(3, 2) == ([0, 1], encode_cursor(1))


def test_the_last_page_leads_nowhere() -> None:
    assert _page(2, 2) == ([0, 1], None)
    assert _page(0, 2) == ([], None)


def test_a_position_comes_back_as_it_went_in() -> None:
    position = ("ü\"'\\", -5, NOW, ID)
    assert decode_cursor(encode_cursor(*position), str, int, datetime, UUID) == position


def test_no_cursor_is_no_position() -> None:
    assert decode_cursor(None, str) is None


@pytest.mark.parametrize(
    ("position", "kinds"),
    [
        (["a"], (int,)),
        ([1], (str,)),
        ([1.0], (int,)),
        (["a", "b"], (str,)),
        ([], (str,)),
        ([2**63], (int,)),
        (["a\0"], (str,)),
        ([None], (str,)),
        ([["a"]], (str,)),
        (["0001-01-01T00:00:00+14:00"], (datetime,)),
        (["2026-01-01T00:00:00"], (datetime,)),
        (["yesterday"], (datetime,)),
        ([[]], (datetime,)),
        ([5], (UUID,)),
        (5, (int,)),
        (None, (str,)),
        ({"a": 1}, (int,)),
    ],
)
def test_a_position_of_other_kinds_is_refused(position: object, kinds: tuple[type, ...]) -> None:
    cursor = base64.urlsafe_b64encode(orjson.dumps(position)).decode()
    with pytest.raises(InvalidRequest):
        decode_cursor(cursor, *kinds)


@pytest.mark.parametrize("cursor", ["", "x", "%", "ü", "AAAA", "bm8"])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidRequest):
        decode_cursor(cursor, str)
