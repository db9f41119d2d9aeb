"""Reads settings once, and says what is wrong with them in one sentence."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_settings import BaseSettings

S = TypeVar("S", bound=BaseSettings)

_PREFIX = "STRUM_"
_OTHERS = {"STRUM_DATA_DIR": (".strum", "Where `strum up` keeps its data.")}
_FOR_TESTS = "STRUM_TEST_"


def load(kind: type[S], **defaults: Any) -> S:
    """Read the settings of a service; `defaults` are weaker than the environment. Exits with 2 on a bad value."""
    refuse_unknown(os.environ, kind)
    try:
        return kind(**_without(defaults, kind))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        name = _PREFIX + "__".join(map(str, first["loc"])).upper()
        fail(f"{name}: {first['msg']}.")


def refuse_unknown(environment: Mapping[str, str], kind: type[BaseSettings]) -> None:
    """Exit with 2 if a variable begins like a setting and is none: it would be silently ignored.

    Settings of the other services that are installed here may be there too.
    """
    own = {*_names(kind), *_OTHERS}
    strangers = {name for name in environment if _is_setting(name) and name.upper() not in own}
    known = {name for name, _, _ in described()} if strangers else own
    for name in sorted(strangers):
        if name.upper() not in known:
            fail(f"{name} is not a setting of Strum; `strum settings` lists them.")


def _is_setting(name: str) -> bool:
    return name.upper().startswith(_PREFIX) and not name.startswith(_FOR_TESTS)


def fail(sentence: str) -> NoReturn:
    """Say it on standard error and exit with 2."""
    print(f"strum: {sentence}", file=sys.stderr)  # noqa: T201 -- for the person at the terminal
    raise SystemExit(2)


def described() -> Iterable[tuple[str, str, str]]:
    """Every setting of the services that are installed: its variable, its default, what it is for."""
    rows = dict(_OTHERS)
    for kind in _kinds():
        rows.update({name: (default, text) for name, default, text in _rows(kind)})
    return sorted((name, default, text) for name, (default, text) in rows.items())


def _kinds() -> Iterator[type[BaseSettings]]:
    """Loaded by name: an image has one of the services, and a process needs to know one of them."""
    if find_spec("communication_service"):
        yield import_module("communication_service.settings").CommunicationSettings
    if find_spec("management_service"):
        yield import_module("management_service.settings").settings_type()


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
