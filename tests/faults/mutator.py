"""Frames that hostile and broken stations send: valid ones, made from the official schemas, then damaged by a seed.

Structure-aware: a mutation knows the schema of what it touches, so that most of a frame stays valid and the damage
gets as far as it can. The last mutation of some frames is to their text, below the level of JSON.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any

from communication_service.ocpp import actions
from communication_service.ocpp.actions import Direction
from communication_service.ocpp.versions import Version
from tests.communication_service.ocpp import official

_LONGEST_TEXT = 40
_LONGEST_FRAME = 300_000  # in characters: what is more than 1 MiB closes the connection, as it must
_TOKENS = ("DRIVER-1", "' OR 1=1 --", "<script>alert(1)</script>", "=cmd()", "../../etc/passwd", "%s%n", "")
_TEXTS = (
    "\x00",
    "A\x00B",
    "\ud800",
    "\udfff half a pair",
    "\u202egnp.exe",
    "\u05e9\u05dc\u05d5\u05dd",
    "\U0001f50c\U0001f697",
    "e\u0301" * 20,
    "\x1b[31mred\x1b[0m",
    "\r\n injected",
    "\ufeff",
    "x" * 300,
    "x" * 5000,
    "",
)
_NUMBERS: tuple[Any, ...] = (
    0, -1, 1.0, 0.1, -0.0, 2**31 - 1, 2**31, -(2**31) - 1, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 10**30, 1e308, -1e308,
)  # fmt: skip
_OTHERS: tuple[Any, ...] = (None, True, False, [], {}, [[]], "12", 12, 3.7, "true", {"a": 1}, ["x"])
_TIMES = (
    "1970-01-01T00:00:00Z", "2036-02-07T06:28:16Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00",
    "222222017-10-27T19:10:11Z", "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01", "now", "1000000", "",
    "2026-03-29T02:30:00", "2026-01-01T00:00:00.123456789012+02",
)  # fmt: skip
_WIDTHS = (*(100,) * 19, 10_001)
_RAW_NUMBERS = ("NaN", "-Infinity", "1e400", "9" * 5000, "01", "0x10", "+1")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A text to send. `message_id` and `action` are what an answer can refer to, if the frame was left readable."""

    text: str
    message_id: str
    action: str
    mutations: tuple[str, ...]


class Mutator:
    """Makes mutants of one version, the same ones for the same seed."""

    def __init__(self, version: Version, seed: int) -> None:
        self._version = version
        self._random = Random(f"{seed}/{version}")
        known = actions.KNOWN[version]
        self._actions = sorted(action for action, way in known.items() if way is not Direction.FROM_CSMS)
        self._actions = [a for a in self._actions if a not in actions.SENT_WITHOUT_ANSWER]
        self._count = 0

    def mutant(self) -> Mutant:
        """The next one."""
        self._count += 1
        message_id = f"m{self._count}-{self._count}"  # no character that is flipped makes another's of it
        action = self._random.choice(self._actions)
        root = official.schema(self._version, action)
        payload = self._sample(root, root, "")
        done = [self._mutate(payload) for _ in range(self._random.choice((0, 1, 1, 1, 2, 3)))]
        frame: list[Any] = [2, message_id, action, payload]
        if self._random.random() < 0.15:
            done.append(self._damage_frame(frame))
        text = json.dumps(frame, ensure_ascii=self._random.random() < 0.5)
        if self._random.random() < 0.15:
            kind, change = self._random.choice(_TEXT_DAMAGE)
            done.append(kind)
            text = change(self._random, text)
        return Mutant(text.encode("utf-8", "replace").decode()[:_LONGEST_FRAME], message_id, action, tuple(done))

    def _sample(self, root: dict[str, Any], node: dict[str, Any], name: str) -> Any:
        """A value that the schema takes."""
        node = _resolved(root, node)
        if "enum" in node:
            return self._random.choice(node["enum"])
        match node.get("type"):
            case "object":
                return self._object(root, node)
            case "array":
                size = max(node.get("minItems", 0), self._random.choice((0, 1, 1, 2)))
                return [self._sample(root, node["items"], name) for _ in range(min(size, node.get("maxItems", size)))]
            case "integer":
                return self._random.randint(0, 50)
            case "number":
                return round(self._random.uniform(0, 5000), 1)
            case "boolean":
                return self._random.random() < 0.5
        return self._text(node, name)

    def _object(self, root: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
        required = set(node.get("required", ()))
        return {
            name: self._sample(root, child, name)
            for name, child in node.get("properties", {}).items()
            if name in required or (name != "customData" and self._random.random() < 0.4)
        }

    def _text(self, node: dict[str, Any], name: str) -> str:
        if node.get("format") == "date-time":
            return f"2026-01-{self._random.randint(1, 28):02}T{self._random.randint(0, 23):02}:00:00Z"
        if name in {"idTag", "idToken"}:
            return self._random.choice(_TOKENS)[: node.get("maxLength", _LONGEST_TEXT)]
        if name == "value":
            return str(self._random.randint(0, 10_000))
        return "abcdefgh"[: min(node.get("maxLength", _LONGEST_TEXT), self._random.randint(1, 8))]

    def _mutate(self, payload: Any) -> str:
        """Damage one place of a payload; returns what was done."""
        places = list(_places(payload))
        if not places:
            payload["extra"] = self._random.choice(_TEXTS)
            return "extra"
        parent, key = self._random.choice(places)
        kind = self._random.choice(("missing", "extra", "type", "range", "text", "time", "deep", "wide", "items"))
        match kind:
            case "missing":
                del parent[key]
            case "extra" if isinstance(parent, dict):
                parent[self._random.choice(("extra", "x" * 200, "__proto__", "\x00", "\ud800"))] = 1
            case "type":
                parent[key] = deepcopy(self._random.choice(_OTHERS))
            case "range":
                parent[key] = self._random.choice(_NUMBERS)
            case "text":
                parent[key] = self._random.choice(_TEXTS)
            case "time":
                parent[key] = self._random.choice(_TIMES)
            case "deep":
                parent[key] = _deep(self._random.choice((30, 33, 200)))
            case "wide":
                parent[key] = {f"k{number}": number for number in range(self._random.choice(_WIDTHS))}
            case _:
                parent[key] = [parent[key]] * self._random.choice((0, 2, 300))
        return kind

    def _damage_frame(self, frame: list[Any]) -> str:
        """Damage the array around the payload."""
        kind = self._random.choice(("short", "long", "id", "type", "action", "payload", "answer"))
        match kind:
            case "short":
                del frame[self._random.randint(0, 3) :]
            case "long":
                frame.append(self._random.choice(_OTHERS))
            case "id":
                frame[1] = self._random.choice((*_OTHERS, *_TEXTS))
            case "type":
                frame[0] = self._random.choice((0, 1, 5, 6, 7, 9, -2, "2", 2.5, None, True, 10**30))
            case "action":
                frame[2] = self._random.choice((*_OTHERS, "Reset", "heartbeat", "../Reset", "No" * 100, "\x00"))
            case "payload":
                frame[3] = self._random.choice(_OTHERS)
            case _:
                frame[:] = self._random.choice(([3, "x", {}], [4, "x", "A", "", {}], [5, "x", "A", "", {}], [3, "x"]))
        return f"frame {kind}"


def _resolved(root: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        return _resolved(root, root["definitions"][node["$ref"].rsplit("/", 1)[-1]])
    return node


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every member of every object and array in a value, as container and key."""
    found: list[tuple[Any, Any]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        found.append((value, key))
        found += _places(child)
    return found


def _deep(levels: int) -> Any:
    value: Any = 0
    for level in range(levels):
        value = [value] if level % 2 else {"d": value}
    return value


def _cut(random: Random, text: str) -> str:
    return text[: random.randint(0, len(text))]


def _double_key(_: Random, text: str) -> str:
    return text.replace("{", '{"timestamp":"2026-01-01T00:00:00Z","timestamp":5,', 1)


def _bad_number(random: Random, text: str) -> str:
    return text.replace(":", f':{random.choice(_RAW_NUMBERS)},"z":', 1)


def _flipped(random: Random, text: str) -> str:
    if not text:
        return text
    at = random.randrange(len(text))
    return text[:at] + chr(random.randrange(1, 0x250)) + text[at + 1 :]


_TEXT_DAMAGE: tuple[tuple[str, Callable[[Random, str], str]], ...] = (
    ("cut", _cut),
    ("doubled key", _double_key),
    ("bad number", _bad_number),
    ("flipped character", _flipped),
    ("byte order mark", lambda _, text: "\ufeff" + text),
    ("escaped NUL", lambda _, text: text.replace("a", "\\u0000", 1)),
    ("lone surrogate", lambda _, text: text.replace("a", "\\ud83d", 1)),
    ("white space", lambda _, text: text.replace(",", " ,\n\t", 3)),
    ("big", lambda _, text: text + " " * 200_000),
    ("twice", lambda _, text: text + text),
)
