"""Every kind of bad frame as a row: what is sent, what comes back in 1.6, 2.0.1 and 2.1, what is handed to the modules.

Payloads are in `bad_payloads`. The numbers are those of docs/bad-input.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from communication_service.ocpp.versions import Version
from shared_contracts.stations import StatusReported
from tests.communication_service.phrases import call, status

NOTHING = "nothing"
RESULT = "CALLRESULT"
FORMATION, FORMAT, FRAMEWORK = "FormationViolation", "FormatViolation", "RpcFrameworkError"
TYPE, PROPERTY = "TypeConstraintViolation", "PropertyConstraintViolation"
OCCURRENCE_16, OCCURRENCE = "OccurenceConstraintViolation", "OccurrenceConstraintViolation"
ONLY_16, ONLY_2X, ALL = (Version.V16,), (Version.V201, Version.V21), tuple(Version)
BEFORE_21 = (Version.V16, Version.V201)


@dataclass(frozen=True)
class Row:
    """`answers` are of 1.6, of 2.x, and of 2.1 where that differs: nothing, CALLRESULT, or `code` or `code id` of an
    error. `handed` is the kind of event or request that must result (None: nothing may), with fields it must have."""

    number: int
    what: str
    text: str | Callable[[Version], str]
    answers: tuple[str, ...] = (RESULT, RESULT)
    handed: Any = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    versions: tuple[Version, ...] = ALL

    def said(self, version: Version) -> str:
        """The text that is sent."""
        return self.text if isinstance(self.text, str) else self.text(version)

    def expected(self, version: Version) -> str:
        """What must come back."""
        return (
            self.answers[min(list(Version).index(version), len(self.answers) - 1)]
            if len(self.answers) > 2
            else (self.answers[0] if version is Version.V16 else self.answers[-1])
        )

    def kind(self, version: Version) -> Any:
        """What must be handed over."""
        return self.handed[version] if isinstance(self.handed, dict) else self.handed


def beat(payload: str = "{}", message_id: str = '"7"', kind: str = "2", action: str = '"Heartbeat"') -> str:
    """A Heartbeat, of any JSON texts."""
    return f"[{kind},{message_id},{action},{payload}]"


REFUSED = (FORMATION, FRAMEWORK)
FRAMES = [
    Row(1, "not JSON, id readable", '[2,"7","StopTransaction",{"transactionId":,', REFUSED),
    Row(2, "not JSON, id not readable", '{"a":', (NOTHING, f"{FRAMEWORK} -1")),
    Row(2, "not JSON at all", "GET / HTTP/1.1", (NOTHING, f"{FRAMEWORK} -1")),
    *(
        Row(3, f"JSON that is no frame: {text or 'empty'!r}", text, (NOTHING, f"{FRAMEWORK} -1"))
        for text in ("{}", '"x"', "[]", "[2]", "null", "5", " \n")
    ),
    Row(3, "empty text", "", (NOTHING, NOTHING)),
    Row(4, "no payload", '[2,"7","Heartbeat"]', (RESULT, FORMAT)),
    Row(5, "null payload", beat("null"), (RESULT, FORMAT)),
    *(Row(6, f"payload {payload}", beat(payload), (FORMATION, FORMAT)) for payload in ("[]", '"{}"', "0", "true")),
    Row(7, "extra element", '[2,"7","Heartbeat",{},1]', (RESULT, FRAMEWORK)),
    *(
        Row(8, f"message type {kind}", beat(kind=kind), (NOTHING, "MessageTypeNotSupported"))
        for kind in ("0", "1", "9", "-2", '"2"', "2.0", "true", "null", "99999999999999999999999")
    ),
    Row(8, "SEND before 2.1", beat(kind="6"), (NOTHING, "MessageTypeNotSupported"), versions=BEFORE_21),
    Row(9, "SEND of an unknown action", beat(kind="6", action='"No"'), (NOTHING,), versions=(Version.V21,)),
    Row(9, "SEND of a bad payload", beat("[]", kind="6"), (NOTHING,), versions=(Version.V21,)),
    Row(10, "CALLRESULTERROR", '[5,"7","A","",{}]', (NOTHING, "MessageTypeNotSupported", NOTHING)),
    Row(11, "empty id", beat(message_id='""'), (f"{FORMATION} ", f"{FRAMEWORK} -1")),
    Row(11, "id of 37", beat(message_id=f'"{"x" * 37}"'), (f"{FORMATION} {'x' * 36}", f"{FRAMEWORK} -1")),
    Row(11, "object as id", beat(message_id="{}"), (f"{FORMATION} -1", f"{FRAMEWORK} -1")),
    Row(12, "action unknown", beat(action='"Heartbaet"'), ("NotImplemented", "NotImplemented")),
    Row(12, "action is a path", beat(action='"../../Reset"'), ("NotImplemented", "NotImplemented")),
    Row(13, "action is ours to send", call("Reset", {"type": "Hard"}), ("NotSupported", "NotSupported")),
    *(
        Row(13, f"no feature for {action}", call(action, {}), ("NotSupported",), versions=ONLY_2X)
        for action in ("Get15118EVCertificate", "GetCertificateStatus", "NotifyEVChargingNeeds")
    ),
    *(Row(14, f"action {action}", beat(action=action), REFUSED) for action in ("{}", "[]", "5", "null")),
    Row(28, "nested 40 deep", beat(f'{{"a":{"[" * 40}{"]" * 40}}}'), REFUSED),
    Row(28, "nested 100,000 deep", beat("[" * 100_000 + "]" * 100_000), REFUSED),
    Row(28, "10,001 keys", beat("{" + ",".join(f'"{n}":0' for n in range(10_001)) + "}"), REFUSED),
    Row(28, "5,000 digits", beat(f'{{"a":{"9" * 5000}}}'), REFUSED),
    *(Row(29, number, beat(f'{{"a":{number}}}'), (FORMATION, FORMAT)) for number in ("NaN", "-Infinity", "1e400")),
    Row(32, "duplicate keys: the last wins", lambda v: status(v).replace(
        '"connectorId":1', '"connectorId":9,"connectorId":2'),
        handed=StatusReported, fields={"connector_id": 2}),
    Row(33, "NUL and half a surrogate pair", lambda v: status(v, word="X").replace('"X"', r'"A\u0000\ud800B"'),
        handed=StatusReported, fields={"raw_status": "A\ufffd\ufffdB"}),
    Row(33, "byte order mark", lambda v: "\ufeff" + status(v), handed=StatusReported),
    Row(33, "control and right-to-left characters", lambda v: status(v, word="\u202eX\u0007"), handed=StatusReported,
        fields={"raw_status": "\u202eX\u0007"}),
]  # fmt: skip
