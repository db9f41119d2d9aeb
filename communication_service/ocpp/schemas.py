"""Payloads against the official schemas of 1.6, 2.0.1 and 2.1, as the `ocpp` package carries them.

A schema is read and compiled when its action is first seen, and kept. Three things differ from the letter:
of formats, dates alone are checked, in the strict profile (`times` reads them leniently); 1.0 is an integer as in
newer drafts of JSON schema; integers must fit 32 bits (OCPP 2.0.1 part 2 §2, "Primitive datatypes").
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import chain, islice
from typing import Any

import orjson
from jsonschema_rs import Draft6Validator, ValidationError

from communication_service.ocpp import actions, lenience
from communication_service.ocpp.errors import Refusal
from communication_service.ocpp.versions import Version
from communication_service.ocpp.violations import Violation, violation

MOST_REPORTED = 20
"""Violations that a verdict names: a payload can break a rule in each of ten thousand items."""

_PACKAGES = {Version.V16: "v16", Version.V201: "v201", Version.V21: "v21"}


class Kind(StrEnum):
    """Which half of an action a payload is."""

    REQUEST = "request"
    RESPONSE = "response"

    __hash__ = str.__hash__


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the profile makes of a payload."""

    payload: dict[str, Any]
    """The payload to work with: as it came, or a mended copy."""
    refused: tuple[Violation, ...] = ()
    tolerated: tuple[Violation, ...] = ()

    @property
    def refusal(self) -> Refusal | None:
        """The CALLERROR for this payload; None if it is accepted."""
        return self.refused[0].refusal if self.refused else None


def judge(
    version: Version,
    action: str,
    payload: dict[str, Any],
    kind: Kind = Kind.REQUEST,
    *,
    strict: bool = False,
) -> Verdict:
    """Validate a station's payload. Raises `KeyError` for an action that the version does not know.

    The lenient profile (the default) refuses only what nobody could work with; see `lenience`.
    """
    validator = _validator(version, action, kind, strict)
    if validator.is_valid(payload):
        return Verdict(payload)
    if strict:
        return Verdict(payload, refused=_first(validator.iter_errors(payload)))
    return _judge_leniently(validator, payload)


def violations(
    version: Version, action: str, payload: dict[str, Any], kind: Kind = Kind.REQUEST
) -> tuple[Violation, ...]:
    """The first rules that a payload of ours breaks: none of them is tolerated. Raises `KeyError` as `judge` does.

    Unlike a station's, such a payload may come from anywhere: what JSON cannot carry is a violation too.
    """
    try:
        orjson.dumps(payload)
    except TypeError:
        return (Violation("", "json", "the payload is nested too deep, or JSON cannot carry it"),)
    return judge(version, action, payload, kind, strict=True).refused


def _judge_leniently(validator: Draft6Validator, payload: dict[str, Any]) -> Verdict:
    """Mend what can be mended; what is still wrong then is refused, unless it does no harm."""
    errors = list(validator.iter_errors(payload))
    mended = lenience.mended(payload, errors)
    left = errors if mended is payload else list(validator.iter_errors(mended))
    refused = _first(error for error in left if not lenience.tolerates(error))
    noticed = _first(chain(errors, left))
    return Verdict(mended, refused, tuple(one for one in noticed if one not in refused))


def _first(errors: Iterable[ValidationError]) -> tuple[Violation, ...]:
    return tuple(dict.fromkeys(violation(error) for error in islice(errors, MOST_REPORTED)))


@cache
def _validator(version: Version, action: str, kind: Kind, strict: bool) -> Draft6Validator:
    schema = orjson.loads(_text(version, action, kind))
    schema.pop("$schema", None)
    _adapt(schema)
    return Draft6Validator(schema, validate_formats=strict, mask="the value", offline=True)


def _text(version: Version, action: str, kind: Kind) -> bytes:
    """The text of a schema. Only an action that is known gets to be part of a path."""
    if action not in actions.KNOWN[version]:
        raise KeyError(action)
    suffix = "Response" if kind is Kind.RESPONSE else "Request"
    if kind is Kind.REQUEST and (version is Version.V16 or action in actions.SENT_WITHOUT_ANSWER):
        suffix = ""
    path = files("ocpp").joinpath(_PACKAGES[version], "schemas", f"{action}{suffix}.json")
    return path.read_bytes().removeprefix(b"\xef\xbb\xbf")


def _adapt(schema: Any) -> None:
    """Give each integer the limits of 32 bits where it has none of its own, and let URLs be what file servers take."""
    if isinstance(schema, list):
        for item in schema:
            _adapt(item)
    elif isinstance(schema, dict):
        if schema.get("type") == "integer":
            schema.setdefault("minimum", lenience.SMALLEST_INTEGER)
            schema.setdefault("maximum", lenience.LARGEST_INTEGER)
        elif schema.get("format") == "uri":
            del schema["format"]
        for item in schema.values():
            _adapt(item)
