"""The text of a frame before it is a message: what can be mended, what is too much, what a ruin still tells.

Every function is linear in the length of the text, whatever the text: the expressions are possessive.
"""

import json
import re
from typing import Any

DEEPEST = 32
"""Levels of arrays and objects that a frame may nest."""
MOST_MEMBERS = 10_000
"""Object keys, and as many array items, that a frame may have."""

_LONGEST_PLAIN = 2 * MOST_MEMBERS  # a text this short cannot hold more members: each needs two characters
_LONGEST_NUMBER = 308  # digits of the largest double

_CONTAINERS = frozenset({dict, list})
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_ESCAPE = re.compile(
    r"(?:[^\\]++|\\[^u]|\\u(?!0000|[dD][89a-fA-F])"  # text, and escapes that do no harm
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})++"  # a whole surrogate pair
    r"|(\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2}))"  # NUL, or half a pair
)
_NOT_FINITE = re.compile(r'"(?:[^"\\]++|\\.?)*+"?|(NaN|Infinity)', re.DOTALL)
_DIGITS = re.compile(r"\d++")
_HEAD = re.compile(
    r"[\s\ufeff]*+\[\s*+(\d{1,9})\s*+(?=[,\]])"
    r'(?:,\s*+(?:"([^"\\\x00-\x1f]*+)"|(-?\d{1,18})\s*+(?=[,\]])))?+',
    re.ASCII,
)


def storable(text: str) -> str:
    """The text with each NUL character and lone surrogate as U+FFFD: PostgreSQL's text type refuses both."""
    return _UNSTORABLE.sub("\ufffd", text)


def mended(text: str) -> str:
    """The text of JSON without NUL and lone surrogates, neither as characters nor as escapes (as U+FFFD)."""
    return _ESCAPE.sub(lambda match: r"\ufffd" if match[1] else match[0], storable(text))


def within_limits(text: str, value: object) -> bool:
    """Whether a parsed text nests at most `DEEPEST` levels and has at most `MOST_MEMBERS` keys, and items.

    Counting characters clears an ordinary frame; only a text that could exceed a limit is walked.
    """
    if len(text) <= _LONGEST_PLAIN and text.count("{") + text.count("[") <= DEEPEST:
        return True
    return _walk(value)


def _walk(value: object) -> bool:
    keys = items = 0
    level: list[Any] = [value]
    for _ in range(DEEPEST + 1):
        objects = [node for node in level if type(node) is dict]
        arrays = [node for node in level if type(node) is list]
        if not objects and not arrays:
            return True
        keys += sum(map(len, objects))
        items += sum(map(len, arrays))
        if keys > MOST_MEMBERS or items > MOST_MEMBERS:
            return False
        level = [child for node in objects for child in node.values() if type(child) in _CONTAINERS]
        level += [child for node in arrays for child in node if type(child) in _CONTAINERS]
    return False


def has_number_too_long(text: str) -> bool:
    """Whether digits run on beyond what any double can hold."""
    return any(len(match[0]) > _LONGEST_NUMBER for match in _DIGITS.finditer(text))


def has_not_finite(text: str) -> bool:
    """Whether `NaN` or `Infinity` stands where JSON wants a number."""
    if "NaN" not in text and "Infinity" not in text:
        return False
    return any(match[1] for match in _NOT_FINITE.finditer(text))


def has_duplicate_keys(text: str) -> bool:
    """Whether an object of a text that is JSON, and within the limits, has a key twice."""
    duplicate = False

    def note(pairs: list[tuple[str, object]]) -> None:
        nonlocal duplicate
        duplicate = duplicate or len(pairs) != len({key for key, _ in pairs})

    json.loads(text, object_pairs_hook=note, parse_int=float)
    return duplicate


def head(text: str) -> tuple[int | None, str | int | None]:
    """Message type and message id of a text that is not JSON, as far as its beginning shows them."""
    match = _HEAD.match(text)
    if match is None:
        return None, None
    kind, text_id, number_id = match.groups()
    return int(kind), int(number_id) if number_id else text_id
