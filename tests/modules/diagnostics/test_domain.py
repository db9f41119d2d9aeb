import pytest

from modules.diagnostics.domain import EventFilter, parse_position


@pytest.mark.parametrize(("text", "position"), [("0", 0), ("0123", 123), (str(2**63 - 1), 2**63 - 1)])
def test_a_position_is_read_back(text, position):
    assert parse_position(text) == position


@pytest.mark.parametrize("text", ["", ".", "-1", "+1", " 1", "1_0", "1.0", "x", "٣", "²", str(2**63), "1" * 99])
def test_what_is_no_position_is_none(text):
    assert parse_position(text) is None


def test_names_with_a_star_are_prefixes():
    chosen = EventFilter(("stations.*", "users.changed.v1", "*"))
    assert (chosen.prefixes, chosen.keys) == (("stations.", ""), ("users.changed.v1",))
