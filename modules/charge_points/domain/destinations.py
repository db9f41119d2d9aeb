"""Which URLs a command gives to a station."""

from collections.abc import Iterator

from pydantic import JsonValue

from shared_contracts.commands import Command, GetLog, RawCall, SetVariables, UpdateFirmware

_FILES = frozenset({"location", "remotelocation"})
_SYSTEMS = frozenset({"ocppcsmsurl"})
SYSTEM_SCHEMES = ("ws", "wss")
MOST_URLS = 4
"""Different ones of one command: none needs more, and to look a name up may take seconds."""


def file_urls(command: Command) -> tuple[str, ...]:
    """Where the station is to fetch from or upload to: also in calls that a user wrote in OCPP's own terms."""
    match command:
        case UpdateFirmware() | GetLog():
            return (command.location,)
        case RawCall():
            return tuple(_values(command.payload, _FILES))
        case _:
            return ()


def system_urls(command: Command) -> tuple[str, ...]:
    """Which systems the station is to connect to (SetNetworkProfile; OCPP 2.1 has a variable for it, too)."""
    match command:
        case SetVariables():
            return tuple(one.value for one in command.variables if one.name.lower() in _SYSTEMS and one.value)
        case RawCall():
            return (*_values(command.payload, _SYSTEMS), *_set_by_name(command.payload.get("setVariableData")))
        case _:
            return ()


def _set_by_name(data: JsonValue) -> Iterator[str]:
    """Of a SetVariables request as the user wrote it."""
    for one in data if isinstance(data, list) else ():
        match one:
            case {"variable": {"name": str(name)}, "attributeValue": str(value)} if name.lower() in _SYSTEMS and value:
                yield value


def _values(value: JsonValue, names: frozenset[str]) -> Iterator[str]:
    match value:
        case dict():
            for name, inner in value.items():
                if isinstance(inner, str) and name.lower() in names:
                    yield inner
                else:
                    yield from _values(inner, names)
        case list():
            for inner in value:
                yield from _values(inner, names)
