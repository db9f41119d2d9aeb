"""The frames of OCPP-J on the wire: CALL, CALLRESULT and CALLERROR (OCPP-J §4.2)."""

from dataclasses import dataclass, field
from typing import Any

import orjson

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A request; `message_id` correlates its answer."""

    message_id: str
    action: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to the call with this id."""

    message_id: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class Error:
    """The refusal of the call with this id."""

    message_id: str
    code: str
    description: str = ""
    details: Payload = field(default_factory=dict)


Frame = Call | Result | Error


def parse(text: str | bytes) -> Frame | None:
    """Read a frame; None for anything that is none of the three, which a station ignores."""
    try:
        parts = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    match parts:
        case [2, str(message_id), str(action), dict(payload)]:
            return Call(message_id, action, payload)
        case [3, str(message_id), dict(payload)]:
            return Result(message_id, payload)
        case [4, str(message_id), str(code), *rest]:
            return Error(message_id, code, str(rest[0]) if rest else "")
    return None


def dump(frame: Frame) -> str:
    """Write a frame as the text of one WebSocket message."""
    match frame:
        case Call():
            parts: list[object] = [2, frame.message_id, frame.action, frame.payload]
        case Result():
            parts = [3, frame.message_id, frame.payload]
        case Error():
            parts = [4, frame.message_id, frame.code, frame.description, frame.details]
    return orjson.dumps(parts).decode()
