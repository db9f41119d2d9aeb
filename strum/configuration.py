"""Reads settings once, and says what is wrong with them in one sentence."""

import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_settings import BaseSettings

from communication_service.settings import CommunicationSettings
from management_service.settings import settings_type

S = TypeVar("S", bound=BaseSettings)

_PREFIX = "STRUM_"
_OTHERS = frozenset({"STRUM_DATA_DIR"})
_FOR_TESTS = "STRUM_TEST_"


def load(kind: type[S], **defaults: Any) -> S:
    """Read the settings of a service; `defaults` are weaker than the environment. Exits with 2 on a bad value."""
    refuse_unknown(os.environ)
    try:
        return kind(**_without(defaults, kind))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        name = _PREFIX + "__".join(map(str, first["loc"])).upper()
        fail(f"{name}: {first['msg']}.")


def refuse_unknown(environment: Mapping[str, str]) -> None:
    """Exit with 2 if a variable begins like a setting and is none: it would be silently ignored."""
    known = set(_names(CommunicationSettings)) | set(_names(settings_type())) | _OTHERS
    for name in environment:
        if name.upper().startswith(_PREFIX) and not name.startswith(_FOR_TESTS) and name.upper() not in known:
            fail(f"{name} is not a setting of Strum; `strum settings` lists them.")


def fail(sentence: str) -> NoReturn:
    """Say it on standard error and exit with 2."""
    print(f"strum: {sentence}", file=sys.stderr)  # noqa: T201 -- for the person at the terminal
    raise SystemExit(2)


def described() -> Iterable[tuple[str, str, str]]:
    """Every setting: its variable, its default, what it is for."""
    rows: dict[str, tuple[str, str]] = {}
    for kind in (CommunicationSettings, settings_type()):
        rows.update({name: row for name, *row in _rows(kind)})  # type: ignore[misc]  # a row is two texts
    return sorted((name, default, text) for name, (default, text) in rows.items())


def _rows(kind: type[BaseModel], prefix: str = _PREFIX) -> Iterable[tuple[str, str, str]]:
    for name, field in kind.model_fields.items():
        part = field.annotation
        if isinstance(part, type) and issubclass(part, BaseModel):
            yield from _rows(part, f"{prefix}{name.upper()}__")
        else:
            yield prefix + name.upper(), str(field.get_default(call_default_factory=True)), field.description or ""


def _names(kind: type[BaseModel]) -> Iterable[str]:
    return (name for name, _, _ in _rows(kind))


def _without(defaults: Mapping[str, Any], kind: type[BaseSettings]) -> dict[str, Any]:
    """The defaults that no environment variable overrides, part by part."""
    given = {name.upper() for name in os.environ}
    known = set(_names(kind))

    def keep(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for name, value in values.items():
            variable = prefix + name.upper()
            if isinstance(value, dict):
                kept[name] = keep(variable + "__", value)
            elif variable in known and variable not in given:
                kept[name] = value
        return kept

    return keep(_PREFIX, defaults)
