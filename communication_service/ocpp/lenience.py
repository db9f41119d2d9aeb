"""What the lenient profile tolerates of a payload, and what it changes so that the rest of the way is safe.

Stations in the field break the schemas in ways that cost nothing to accept: a serial number of 33 characters,
a measurand of their own, one property more. Refusing such a message loses a meter value or a transaction.
"""

import re
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from jsonschema_rs import ValidationError

SHORTEST_CUT = 255
"""Text that is too long is kept up to this length, or twice its limit if that is more, and then cut: longer
identifiers do not fit an index of the database."""
LARGEST_INTEGER = 2**31 - 1
SMALLEST_INTEGER = -(2**31)

_TOLERATED = frozenset({"additionalProperties", "enum", "maxLength", "minimum", "maximum", "multipleOf"})
_MENDABLE = frozenset({"type", "maxLength"})
_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,18}(\.\d{1,18})?", re.ASCII)


def tolerates(error: ValidationError) -> bool:
    """Whether a payload may stay as it is in spite of this error.

    Integers must fit 32 bits, but for the transactionId: some stations send 2^63-1, and a stop must not be lost.
    """
    path, kind = error.instance_path, error.kind
    if "customData" in path:
        return True
    if kind.name in {"minimum", "maximum"} and kind.value in {SMALLEST_INTEGER, LARGEST_INTEGER}:
        return bool(path) and path[-1] == "transactionId"
    return kind.name in _TOLERATED


def mended(payload: dict[str, Any], errors: Iterable[ValidationError]) -> dict[str, Any]:
    """A copy in which a null property is absent, a number in quotes a number, and endless text cut.

    It is the payload itself if there is nothing of the kind.
    """
    mendable = [error for error in errors if error.kind.name in _MENDABLE and error.instance_path]
    if not mendable:
        return payload
    copy = deepcopy(payload)
    for error in mendable:
        _mend(copy, error)
    return copy


def _mend(copy: dict[str, Any], error: ValidationError) -> None:
    *path, last = error.instance_path
    parent: Any = copy
    for step in path:
        parent = parent[step]
    value = parent[last]
    match error.kind.name, value:
        case "type", None if isinstance(parent, dict):
            del parent[last]
        case "type", str():
            parent[last] = _number(value, error.kind.value)
        case "maxLength", str():
            parent[last] = value[: max(SHORTEST_CUT, 2 * error.kind.value)]


def _number(text: str, types: list[str]) -> int | float | str:
    """The number that a text holds, if that is of a type the schema asks for; else the text."""
    if "integer" in types and _INTEGER.fullmatch(text):
        return int(text)
    if "number" in types and _NUMBER.fullmatch(text):
        return float(text)
    return text
