"""The three kinds of message, and the envelope they travel in."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import NoneType
from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar, cast

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, JsonValue, StringConstraints

LONGEST_STATION_ID = 48
StationId = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_STATION_ID)]
JsonObject = dict[str, JsonValue]


def _random_digits() -> Iterator[str]:
    """Twenty hexadecimal digits at a time. The system is asked for many at once: for each it took 4 µs of an event."""
    while True:
        many = os.urandom(4000).hex()
        yield from (many[start : start + 20] for start in range(0, len(many), 20))


_digits = _random_digits()


def new_id() -> str:
    """Make a 32-digit hexadecimal id that sorts by the time it was made (milliseconds), is unique, and not guessable.

    For the thread of the event loop only.
    """
    return f"{time.time_ns() // 1_000_000:012x}{next(_digits)}"


def first_id_at(moment: datetime) -> str:
    """What sorts before every id that is made from a moment on, and after those made before it."""
    return f"{int(moment.timestamp() * 1000):012x}"


class Value(BaseModel):
    """A frozen value inside a message. Unknown fields are ignored, so that a contract may grow.

    Errors do not quote what was given: it may be an id token, and errors are logged.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Message(Value):
    """What travels on the bus: primitives and enums only, units in names, aware times."""

    key: ClassVar[str]

    @property
    def station(self) -> str | None:
        """The station whose order this message belongs to, if any."""
        return getattr(self, "station_id", None)


class Event(Message):
    """A fact in the past tense, for any number of listeners."""


class Reply(Value):
    """The answer to a request."""


R = TypeVar("R", bound=Reply)


class Request(Message, Generic[R]):
    """An imperative with exactly one handler and a typed reply."""

    @classmethod
    def reply_type(cls) -> type[R]:
        """The class of the reply, as written in `Request[...]`."""
        for ancestor in cls.__mro__:
            arguments = getattr(ancestor, "__pydantic_generic_metadata__", {}).get("args")
            if arguments:
                return cast("type[R]", arguments[0])
        raise TypeError(f"{cls.__name__} does not say what it is answered with")


M = TypeVar("M", bound=Value)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message on its way: who it is about, when, what caused it; the payload stays JSON until read."""

    id: str
    key: str
    station_id: str | None
    occurred_at: datetime
    payload: bytes
    cause: str | None = None
    trace: str | None = None

    @classmethod
    def of(
        cls,
        message: Message,
        *,
        occurred_at: datetime | None = None,
        cause: str | None = None,
        trace: str | None = None,
    ) -> Self:
        """Seal a message. `occurred_at` defaults to now."""
        return cls(
            new_id(),
            message.key,
            message.station,
            occurred_at or datetime.now(UTC),
            message.model_dump_json(exclude_defaults=True).encode(),
            cause,
            trace,
        )

    def read(self, kind: type[M]) -> M:
        """Decode the payload; raises pydantic.ValidationError on what does not fit the contract."""
        return kind.model_validate_json(self.payload)

    def header(self) -> bytes:
        """The first of the two lines that an envelope takes in a body."""
        line: dict[str, Any] = {"id": self.id, "key": self.key, "at": self.occurred_at}
        if self.station_id is not None:
            line["station"] = self.station_id
        if self.cause is not None:
            line["cause"] = self.cause
        if self.trace is not None:
            line["trace"] = self.trace
        return orjson.dumps(line, option=orjson.OPT_NAIVE_UTC)


class MalformedBody(ValueError):
    """A body that is not a batch of envelopes: nobody who speaks this contract sent it."""


def pack(envelopes: "list[Envelope]") -> bytes:
    """Lay a batch out as one body: two lines an envelope, its header and its payload, both JSON.

    A newline in JSON can only be white space, so a payload that was written over several lines is joined.
    """
    lines: list[bytes] = []
    for envelope in envelopes:
        lines += (envelope.header(), envelope.payload.replace(b"\n", b" "))
    return b"\n".join(lines)


def unpack(body: bytes) -> list[Envelope]:
    """Read a body back; payloads are not decoded. Raises MalformedBody."""
    lines = body.split(b"\n")
    if len(lines) % 2:
        raise MalformedBody(f"{len(lines)} lines")
    try:
        return [_envelope(orjson.loads(lines[i]), lines[i + 1]) for i in range(0, len(lines), 2)]
    except (ValueError, KeyError, TypeError) as error:
        raise MalformedBody(str(error)) from error


_OPTIONAL_TEXT = (str, NoneType)


def _envelope(header: dict[str, str], payload: bytes) -> Envelope:
    envelope = Envelope(
        header["id"],
        header["key"],
        header.get("station"),
        datetime.fromisoformat(header["at"]),
        payload,
        header.get("cause"),
        header.get("trace"),
    )
    is_sound = (
        isinstance(envelope.id, str)
        and isinstance(envelope.key, str)
        and isinstance(envelope.station_id, _OPTIONAL_TEXT)
        and isinstance(envelope.cause, _OPTIONAL_TEXT)
        and isinstance(envelope.trace, _OPTIONAL_TEXT)
        and envelope.occurred_at.tzinfo is not None
    )
    if not is_sound:
        raise ValueError(f"not a header: {header!r:.200}")
    return envelope


UtcTime = AwareDatetime
