"""Frames that are not used: which are answered, with what, and which count against the connection.

OCPP-J 1.6 §4.1.3 and §4.2.3; 2.0.1 §4.2.3 and §4.4; 2.1 §4.2.3 and §4.2.4.
"""

from communication_service.ocpp.errors import Fault, Refusal
from communication_service.ocpp.messages import (
    LONGEST_ID,
    UNREADABLE_ID,
    Defect,
    Malformed,
    MessageId,
    MessageType,
    dump_error,
    dump_result_error,
)
from communication_service.ocpp.versions import Version

_STRIKES = frozenset({Defect.NOT_JSON, Defect.TOO_COMPLEX, Defect.NUMBER_OUT_OF_RANGE, Defect.NOT_A_FRAME})

_REFUSALS = {
    Defect.NOT_JSON: Refusal(Fault.FRAMEWORK, "the message is not JSON"),
    Defect.TOO_COMPLEX: Refusal(Fault.FRAMEWORK, "the message is nested too deep or has too many members"),
    Defect.NUMBER_OUT_OF_RANGE: Refusal(Fault.FORMAT, "a number of the message is not finite"),
    Defect.NOT_A_FRAME: Refusal(Fault.FRAMEWORK, "the message is not an OCPP-J message"),
    Defect.MESSAGE_TYPE: Refusal(Fault.MESSAGE_TYPE, "the message type is not known"),
    Defect.MESSAGE_ID: Refusal(Fault.FRAMEWORK, "the message id must be a text of 1 to 36 characters"),
    Defect.ACTION: Refusal(Fault.FRAMEWORK, "the action must be a text"),
    Defect.PAYLOAD: Refusal(Fault.FORMAT, "the payload must be an object"),
    Defect.EXTRA_ELEMENTS: Refusal(Fault.FRAMEWORK, "the message has too many elements"),
    Defect.DUPLICATE_KEYS: Refusal(Fault.FORMAT, "an object of the payload has a key twice"),
}


def malformed(defect: Defect, version: Version, kind: int | None, message_id: MessageId | None) -> Malformed:
    """The verdict on a frame of which no more than its type and id, if these, could be read."""
    return Malformed(
        defect,
        answer=_answer(defect, version, kind, message_id),
        strike=defect in _STRIKES,
        message_type=kind,
        message_id=message_id,
    )


def _answer(defect: Defect, version: Version, kind: int | None, message_id: MessageId | None) -> str | None:
    refusal = _REFUSALS[defect]
    match version, kind:
        case Version.V16, MessageType.CALL:
            return _answer_16(defect, refusal, message_id)
        case (Version.V16, _) | (_, MessageType.CALLERROR):
            return None
        case Version.V21, MessageType.CALLRESULT:
            return dump_result_error(_readable(message_id), refusal, version)
        case (Version.V21, MessageType.CALLRESULTERROR | MessageType.SEND) | (_, MessageType.CALLRESULT):
            return None
    return dump_error(_readable(message_id), refusal, version)


def _answer_16(defect: Defect, refusal: Refusal, message_id: MessageId | None) -> str | None:
    """A CALL is answered if it has something like an id; a text that is no CALL at all is not."""
    if isinstance(message_id, str):
        return dump_error(message_id[:LONGEST_ID], refusal, Version.V16)
    if message_id is not None:
        return dump_error(message_id, refusal, Version.V16)
    return dump_error(UNREADABLE_ID, refusal, Version.V16) if defect is Defect.MESSAGE_ID else None


def _readable(message_id: MessageId | None) -> str:
    """The id for an answer in 2.x, where only a text of 1 to 36 characters is an id."""
    if isinstance(message_id, str) and 0 < len(message_id) <= LONGEST_ID:
        return message_id
    return UNREADABLE_ID
