"""All that stations have a say in, by contract, with one text in every field that is free text."""

import enum
import importlib
import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, JsonValue

import shared_contracts
from shared_contracts import edge
from shared_contracts.message import Event, JsonObject, Request, UtcTime

Said = type[Event] | type[Request[Any]]


def contracts() -> list[Said]:
    """What the edge publishes and asks, where it has free text: whatever stations say comes in by these.

    In an order in which a station could say it: a transaction is opened before it is closed.
    """
    for module in pkgutil.iter_modules(shared_contracts.__path__, "shared_contracts."):
        importlib.import_module(module.name)
    published = {kind for kind in _below(Event) if _key(kind).startswith(f"{edge.EVENTS_OWNER}.")}
    asked = {kind for kind in _below(Request) if _key(kind) in edge.REQUESTS}
    assert {kind.key for kind in asked} == edge.REQUESTS
    return sorted(
        filter(_has_text, published | asked), key=lambda kind: (issubclass(kind, Event), kind.key), reverse=True
    )


def _has_text(kind: Said) -> bool:
    ours = dict.fromkeys(("station_id", "command_id", "pod_id"), "x")
    return "any text" in str(list(filled(kind, "any text", datetime.now(UTC), **ours)))


def filled(kind: type[BaseModel], text: str, at: datetime, **ours: Any) -> Iterator[Any]:
    """Messages with the text in every free field: one, or one of each kind that the contract names in words."""
    choices = [name for name, field in kind.model_fields.items() if get_origin(field.annotation) is Literal]
    words = get_args(kind.model_fields[choices[0]].annotation) if choices else ("",)
    for turn, word in enumerate(words):
        chosen = {choices[0]: word, "sequence_number": turn} if choices else {}
        fixed = ours | chosen
        yield kind(
            **{
                name: fixed[name] if name in fixed else _value(field.annotation, text, at, ours)
                for name, field in kind.model_fields.items()
            }
        )


def _value(annotation: Any, text: str, at: datetime, ours: dict[str, Any]) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation == JsonObject:
        return {text: text, "deeper": [{text: text}]}
    if origin in {Union, UnionType}:
        [annotation] = [one for one in arguments if one is not NoneType]
        return _value(annotation, text, at, ours)
    if origin is Literal:
        return arguments[0]
    if origin is tuple:
        return (_value(arguments[0], text, at, ours),)
    if origin is dict:
        return {ours["station_id"]: _value(arguments[1], text, at, ours)}
    if issubclass(annotation, enum.Enum):
        return next(iter(annotation))
    if issubclass(annotation, BaseModel):
        return next(filled(annotation, text, at, **ours))
    return {str: text, UtcTime: at, bool: False, int: 1, float: 1.0, JsonValue: text}[annotation]


def _below(kind: type[Any]) -> Iterator[type[Any]]:
    for heir in kind.__subclasses__():
        yield heir
        yield from _below(heir)


def _key(kind: type[Any]) -> str:
    return getattr(kind, "key", "")
