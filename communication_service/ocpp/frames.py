"""From the text of a station to a frame, and from ours to text. OCPP-J 1.6 §4, 2.0.1 §4, 2.1 §4.

`parse` never raises. Where the specification is silent it does what harms a station least:

- The lenient profile (the default) takes what stations in the field do send, and notes it as a `Quirk`.
- Duplicate keys: the last one wins, as in every usual JSON library; the strict profile refuses them.
- Limits are checked once orjson, which bounds its own depth, has read the text, before anything recursive.
"""

from dataclasses import replace
from typing import Any

import orjson

from communication_service.ocpp import texts
from communication_service.ocpp.malformed import malformed
from communication_service.ocpp.messages import (
    LONGEST_ID,
    UNREADABLE_ID,
    Call,
    CallError,
    CallResult,
    CallResultError,
    Defect,
    Frame,
    Malformed,
    MessageId,
    MessageType,
    Payload,
    Quirk,
    Send,
    dump_call,
    dump_error,
    dump_result,
    dump_result_error,
)
from communication_service.ocpp.versions import Version

__all__ = [
    "Call",
    "CallError",
    "CallResult",
    "CallResultError",
    "Defect",
    "Frame",
    "Malformed",
    "MessageId",
    "Payload",
    "Quirk",
    "Send",
    "dump_call",
    "dump_error",
    "dump_result",
    "dump_result_error",
    "parse",
]


def parse(text: str, version: Version, *, strict: bool = False) -> Frame:
    """Read one text message of a station, of at most the size that the socket lets through."""
    if "\\" in text and (mended := texts.mended(text)) != text:
        return _noted(parse(mended, version, strict=strict), Quirk.TEXT_REPLACED)
    try:
        elements = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return _parse_damaged(text, version, strict=strict, complaint=str(error))
    if not texts.within_limits(text, elements):
        return _malformed(Defect.TOO_COMPLEX, version, elements)
    if strict and texts.has_duplicate_keys(text):
        return _malformed(Defect.DUPLICATE_KEYS, version, elements)
    return _read(elements, version, strict)


def _parse_damaged(text: str, version: Version, *, strict: bool, complaint: str) -> Frame:
    if not text:
        return Malformed(Defect.NOT_JSON, strike=True)
    if text.startswith("\ufeff"):
        return _noted(parse(text.lstrip("\ufeff"), version, strict=strict), Quirk.BYTE_ORDER_MARK)
    if (mended := texts.mended(text)) != text:
        return _noted(parse(mended, version, strict=strict), Quirk.TEXT_REPLACED)
    defect = Defect.NOT_JSON
    if complaint.startswith("number is infinity"):
        defect = Defect.TOO_COMPLEX if texts.has_number_too_long(text) else Defect.NUMBER_OUT_OF_RANGE
    elif texts.has_not_finite(text):
        defect = Defect.NUMBER_OUT_OF_RANGE
    return malformed(defect, version, *texts.head(text))


def _read(elements: Any, version: Version, strict: bool) -> Frame:
    match elements:
        case [2, str(message_id), str(action), dict(payload)] if (
            0 < len(message_id) <= LONGEST_ID and type(elements[0]) is int
        ):
            return Call(message_id, action, payload)
        case [int(kind), *_]:
            return _read_by_type(kind, elements, version, strict)
        case [_, _, *_]:
            return _malformed(Defect.MESSAGE_TYPE, version, elements)
    return _malformed(Defect.NOT_A_FRAME, version, elements)


def _read_by_type(kind: int, elements: list[Any], version: Version, strict: bool) -> Frame:
    match kind:
        case MessageType.CALL:
            return _read_call(Call, elements, version, strict)
        case MessageType.CALLRESULT:
            return _read_result(elements, version, strict)
        case MessageType.CALLERROR:
            return _read_error(CallError, elements)
        case MessageType.CALLRESULTERROR if version is Version.V21:
            return _read_error(CallResultError, elements)
        case MessageType.SEND if version is Version.V21:
            return _read_call(Send, elements, version, strict)
    return _malformed(Defect.MESSAGE_TYPE, version, elements)


def _read_call(shape: type[Call | Send], elements: list[Any], version: Version, strict: bool) -> Frame:
    message_id, action, payload, *_ = _padded(elements, 4)
    if payload is None and version is Version.V16 and (len(elements) > 3 or not strict):
        payload = {}
    if (defect := _call_defect(elements, payload, version, strict)) is not None:
        return _malformed(defect, version, elements)
    return shape(message_id, action, payload, _quirks(elements, 4, payload))


def _call_defect(elements: list[Any], payload: object, version: Version, strict: bool) -> Defect | None:
    if len(elements) == 1:
        return Defect.NOT_A_FRAME
    if not _is_id(elements[1], numbers=version is Version.V16):
        return Defect.MESSAGE_ID
    if len(elements) == 2 or not isinstance(elements[2], str):
        return Defect.ACTION
    if len(elements) > 4 and (strict or version is not Version.V16):
        return Defect.EXTRA_ELEMENTS
    return None if isinstance(payload, dict) else Defect.PAYLOAD


def _read_result(elements: list[Any], version: Version, strict: bool) -> Frame:
    """A CALLRESULT. No payload, or null, may stand for an empty object in every version."""
    message_id, payload, *extra = _padded(elements, 3)
    if payload is None and not strict:
        payload = {}
    if not _is_id(message_id, numbers=True):
        return _malformed(Defect.MESSAGE_ID, version, elements)
    if extra and strict:
        return _malformed(Defect.EXTRA_ELEMENTS, version, elements)
    if not isinstance(payload, dict):
        return _malformed(Defect.PAYLOAD, version, elements)
    return CallResult(message_id, payload, _quirks(elements, 3, payload))


def _read_error(shape: type[CallError | CallResultError], elements: list[Any]) -> Frame:
    """Whatever is missing or wrong in an error is taken as absent: refusing a refusal helps nobody."""
    message_id, code, description, details, *_ = _padded(elements, 5)
    return shape(
        message_id if _is_id(message_id, numbers=True) else UNREADABLE_ID,
        code if isinstance(code, str) else "",
        description if isinstance(description, str) else "",
        details if isinstance(details, dict) else {},
    )


def _padded(elements: list[Any], length: int) -> list[Any]:
    return [*elements[1:], *[None] * (length - len(elements))]


def _is_id(value: object, *, numbers: bool) -> bool:
    if isinstance(value, str):
        return 0 < len(value) <= LONGEST_ID
    return numbers and type(value) in (int, float)


def _quirks(elements: list[Any], length: int, payload: Payload) -> tuple[Quirk, ...]:
    found = {
        Quirk.NUMERIC_ID: not isinstance(elements[1], str),
        Quirk.NULL_PAYLOAD: not any(element is payload for element in elements),
        Quirk.EXTRA_ELEMENTS: len(elements) > length,
    }
    return tuple(quirk for quirk, present in found.items() if present)


def _noted(frame: Frame, quirk: Quirk) -> Frame:
    return replace(frame, quirks=(*frame.quirks, quirk))


def _malformed(defect: Defect, version: Version, elements: Any) -> Malformed:
    """What is known of a frame that is JSON, and the answer to it."""
    kind, message_id, *_ = [*elements, None, None] if isinstance(elements, list) else (None, None)
    return malformed(
        defect,
        version,
        kind if type(kind) is int else None,
        message_id if isinstance(message_id, str) or type(message_id) in (int, float) else None,
    )
