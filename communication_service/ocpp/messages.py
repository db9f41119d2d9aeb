"""What a text of a station can turn out to be, and our own frames as text.

OCPP-J 1.6 §4.2, 2.0.1 §4.2, 2.1 §4.2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

import orjson

from communication_service.ocpp.errors import Refusal
from communication_service.ocpp.versions import Version

LONGEST_ID = 36
"""Characters in a message id (OCPP-J 1.6 §4.1.4)."""
UNREADABLE_ID = "-1"
"""The message id of an answer to a message whose own id cannot be read (OCPP-J 2.0.1 §4.2.3)."""

MessageId = str | int | float
"""Text, by the specification; a number from some 1.6 stations, which get it back as a number."""

Payload = dict[str, Any]


class MessageType(IntEnum):
    """The first element of a frame. The last two are new in 2.1."""

    CALL = 2
    CALLRESULT = 3
    CALLERROR = 4
    CALLRESULTERROR = 5
    SEND = 6


class Quirk(StrEnum):
    """What was tolerated in a frame; a label for counters, and for the station's page."""

    TEXT_REPLACED = "text_replaced"
    BYTE_ORDER_MARK = "byte_order_mark"
    EXTRA_ELEMENTS = "extra_elements"
    NULL_PAYLOAD = "null_payload"
    NUMERIC_ID = "numeric_id"


class Defect(StrEnum):
    """Why a frame is not used; a label for counters."""

    NOT_JSON = "not_json"
    TOO_COMPLEX = "too_complex"
    NUMBER_OUT_OF_RANGE = "number_out_of_range"
    NOT_A_FRAME = "not_a_frame"
    MESSAGE_TYPE = "message_type"
    MESSAGE_ID = "message_id"
    ACTION = "action"
    PAYLOAD = "payload"
    EXTRA_ELEMENTS = "extra_elements"
    DUPLICATE_KEYS = "duplicate_keys"

    __hash__ = str.__hash__


@dataclass(frozen=True, slots=True)
class Call:
    """A request, to be answered with CALLRESULT or CALLERROR."""

    message_id: MessageId
    action: str
    payload: Payload
    quirks: tuple[Quirk, ...] = ()


@dataclass(frozen=True, slots=True)
class Send:
    """A request of 2.1 that is never answered (OCPP-J 2.1 §4.2.4)."""

    message_id: MessageId
    action: str
    payload: Payload
    quirks: tuple[Quirk, ...] = ()


@dataclass(frozen=True, slots=True)
class CallResult:
    """The answer to a CALL of ours."""

    message_id: MessageId
    payload: Payload
    quirks: tuple[Quirk, ...] = ()


@dataclass(frozen=True, slots=True)
class CallError:
    """The refusal of a CALL of ours. The code is as the station wrote it: any text, maybe none."""

    message_id: MessageId
    code: str
    description: str
    details: Payload
    quirks: tuple[Quirk, ...] = ()


@dataclass(frozen=True, slots=True)
class CallResultError:
    """The refusal of a CALLRESULT of ours (2.1). The code is as the station wrote it."""

    message_id: MessageId
    code: str
    description: str
    details: Payload
    quirks: tuple[Quirk, ...] = ()


@dataclass(frozen=True, slots=True)
class Malformed:
    """A frame that is not used.

    `answer` is the text to send back, if anything is. A `strike` counts towards closing the connection: the
    text was no frame at all. `message_type` and `message_id` are what could be read, so that a CALL of ours
    which got a broken answer need not wait for its deadline.
    """

    defect: Defect
    answer: str | None = None
    strike: bool = False
    message_type: int | None = None
    message_id: MessageId | None = None
    quirks: tuple[Quirk, ...] = ()


Frame = Call | CallResult | CallError | CallResultError | Send | Malformed


def dump_call(message_id: str, action: str, payload: Mapping[str, Any]) -> str:
    """A CALL as text. Times must be aware. Raises TypeError for values that JSON cannot carry."""
    return _dump([MessageType.CALL, message_id, action, payload])


def dump_result(message_id: MessageId, payload: Mapping[str, Any]) -> str:
    """A CALLRESULT as text. Times must be aware. Raises TypeError for values that JSON cannot carry."""
    return _dump([MessageType.CALLRESULT, message_id, payload])


def dump_error(message_id: MessageId, refusal: Refusal, version: Version) -> str:
    """A CALLERROR as text, with the code of the version."""
    return _dump_error(MessageType.CALLERROR, message_id, refusal, version)


def dump_result_error(message_id: MessageId, refusal: Refusal, version: Version) -> str:
    """A CALLRESULTERROR as text (2.1): the station's answer to our CALL could not be used."""
    return _dump_error(MessageType.CALLRESULTERROR, message_id, refusal, version)


def _dump_error(kind: MessageType, message_id: MessageId, refusal: Refusal, version: Version) -> str:
    return _dump([kind, message_id, refusal.code(version), refusal.description, refusal.details])


def _dump(frame: list[Any]) -> str:
    return orjson.dumps(frame, option=orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS).decode()
