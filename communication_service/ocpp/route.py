"""What a routing table is made of: the values between a frame of one OCPP version and the version-neutral contracts.

A version's `routes.py` maps an action to an `Inbound` (what a station said → what to do about it), and a command
to a `CommandRoute` (what to tell the station, and what its answers mean).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Generic, TypeVar

from shared_contracts.commands import CommandAnswered
from shared_contracts.message import Envelope, Event, Reply, Request, new_id

Payload = dict[str, Any]
R = TypeVar("R", bound=Reply)
C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Context:
    """Where and when a CALL came in. `zone` is what the station means by a time without a zone."""

    station_id: str
    version: str
    received_at: datetime
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True)
class Written:
    """An event of the hot path whose payload is already written, byte for byte as pydantic would write it."""

    kind: type[Event]
    station_id: str
    payload: bytes

    def read(self) -> Event:
        """The event itself, for whoever wants to look into it."""
        return self.kind.model_validate_json(self.payload)


@dataclass(frozen=True, slots=True)
class Publish:
    """Publish the event, and answer the station once it is durable."""

    event: Event | Written
    answer: Payload


@dataclass(frozen=True, slots=True)
class Ask(Generic[R]):
    """A module decides: `answer` turns its reply into the payload of the CALLRESULT."""

    request: Request[R]
    answer: Callable[[R], Payload]


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer at once: there is nothing to keep."""

    answer: Payload


Outcome = Publish | Ask[Any] | Answer
Inbound = Callable[[Payload, Context], Outcome]


@dataclass(frozen=True, slots=True)
class OutboundCall:
    """A CALL to a station."""

    action: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class CommandRoute(Generic[C]):
    """How a version says a command, in one CALL or several, and what the CALLRESULTs mean, in the same order."""

    calls: Callable[[C], list[OutboundCall]]
    answer: Callable[[C, list[Payload]], CommandAnswered]


class NotExpressible(ValueError):
    """The command cannot be said in this version of OCPP; the text tells an operator why."""


def seal(
    event: Event | Written,
    *,
    occurred_at: datetime | None = None,
    cause: str | None = None,
    trace: str | None = None,
) -> Envelope:
    """Put an event to publish in its envelope. `occurred_at` defaults to now."""
    if not isinstance(event, Written):
        return Envelope.of(event, occurred_at=occurred_at, cause=cause, trace=trace)
    at = occurred_at or datetime.now(UTC)
    return Envelope(new_id(), event.kind.key, event.station_id, at, event.payload, cause, trace)
