"""The official schemas, to hold payloads against and to make hostile ones from."""

from functools import cache
from importlib.resources import files
from typing import Any

import orjson
from hypothesis import strategies as st

from communication_service.ocpp import schemas
from communication_service.ocpp.schemas import Kind
from communication_service.ocpp.versions import Version

PACKAGES = {Version.V16: "v16", Version.V201: "v201", Version.V21: "v21"}


@cache
def schema(version: Version, action: str, kind: Kind = Kind.REQUEST) -> dict[str, Any]:
    suffix = "Response" if kind is Kind.RESPONSE else "" if version is Version.V16 else "Request"
    path = files("ocpp").joinpath(PACKAGES[version], "schemas", f"{action}{suffix}.json")
    return orjson.loads(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))


def violations(version: Version, action: str, payload: dict[str, Any], kind: Kind = Kind.REQUEST) -> list[str]:
    """What is wrong with a payload as it goes over the wire."""
    wire = orjson.loads(orjson.dumps(payload))
    return [f"{one.pointer}: {one.message}" for one in schemas.violations(version, action, wire, kind)]


def words(version: Version, action: str, *path: str, kind: Kind = Kind.REQUEST) -> list[str]:
    """The enum of a property, found by its path through objects and arrays."""
    root = schema(version, action, kind)
    node = root
    for name in path:
        node = _resolved(root, _resolved(root, node)["properties"][name])
        while "items" in node:
            node = _resolved(root, node["items"])
    return node["enum"]


def _resolved(root: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        return root["definitions"][node["$ref"].rsplit("/", 1)[-1]]
    return node


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
HOSTILE_TEXT = TEXT | st.sampled_from(["", "a" * 300, "' OR 1=1 --", "<script>", "=cmd()", "1" * 200, "é\u202e\ufffd"])
HOSTILE_TIME = TEXT | st.sampled_from(
    [
        "2024-05-01T12:00:00Z",
        "2024-05-01T12:00:00",
        "2024-05-01T24:00:00+02",
        "222222017-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:60-14:00",
        "1000000",
    ]
)
HOSTILE_VALUE = TEXT | st.sampled_from(["", "NaN", "-inf", "1e400", "12,5", "1,2,3", "1_000", " 7 ", "١٢", "9" * 400])
INTEGERS = st.integers(-(2**63), 2**64 - 1) | st.sampled_from([0, -1, 999, 1.0, 2**31, 2**63 - 1, 1e300, -1e300])
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | INTEGERS
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner)
)


def hostile(version: Version, action: str) -> st.SearchStrategy[dict[str, Any]]:
    """Payloads with the right fields and JSON types, but any words, lengths, numbers and times."""
    root = schema(version, action)
    return _strategy(root, root, "")


def _strategy(root: dict[str, Any], node: dict[str, Any], name: str) -> st.SearchStrategy[Any]:
    node = _resolved(root, node)
    match node.get("type"):
        case "object":
            fields = {key: _strategy(root, one, key) for key, one in node.get("properties", {}).items()}
            required = {key: fields.pop(key) for key in node.get("required", ())}
            return st.fixed_dictionaries(required, optional=fields)
        case "array":
            return st.lists(_strategy(root, node["items"], name), max_size=3)
        case "string":
            return _text(node, name)
    return {"integer": INTEGERS, "number": NUMBERS, "boolean": st.booleans()}.get(node.get("type", ""), JSON)


def _text(node: dict[str, Any], name: str) -> st.SearchStrategy[str]:
    if "enum" in node:
        return st.sampled_from(node["enum"]) | HOSTILE_TEXT
    if node.get("format") == "date-time":
        return HOSTILE_TIME
    return HOSTILE_VALUE if name == "value" else HOSTILE_TEXT
