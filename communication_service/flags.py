"""Counts what is flagged in messages that are taken: labels are the first words of flags, which are ours."""

from collections.abc import Iterator
from typing import Any

import orjson

from communication_service.metrics import DEVIATIONS
from communication_service.ocpp.route import Ask, Outcome, Publish, Written
from communication_service.ocpp.versions import Version

_ANY = b'"flags":['  # in a text of a station it would be escaped


def count_flags(outcome: Outcome, version: Version) -> None:
    """What follows the colon of a flag is the station's, and is left out."""
    for flag in _flags(outcome):
        DEVIATIONS.labels(version, flag.partition(":")[0]).inc()


def _flags(outcome: Outcome) -> Iterator[str]:
    match outcome:
        case Publish(Written(payload=payload)):
            if _ANY in payload:  # hardly ever: it need not be read again
                yield from _written(orjson.loads(payload))
        case Publish(message) | Ask(message):
            yield from getattr(message, "flags", ())
            for reading in getattr(message, "readings", ()):
                yield from reading.flags


def _written(message: dict[str, Any]) -> Iterator[str]:
    yield from message.get("flags", ())
    for reading in message["readings"]:
        yield from reading.get("flags", ())
