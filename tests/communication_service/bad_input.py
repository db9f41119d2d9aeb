"""Every kind of bad input as a row: what is sent, what comes back in 1.6, 2.0.1 and 2.1, what is handed to the modules.

The numbers are those of docs/bad-input.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from communication_service.ocpp.versions import Version
from shared_contracts.authorization import JudgeToken
from shared_contracts.charge_points import BootStation, ReceiveData
from shared_contracts.stations import MetersSampled, StatusReported
from shared_contracts.transactions import (
    CloseTransaction,
    JudgeTransactionReport,
    OpenTransaction,
    TransactionReported,
)
from tests.communication_service.phrases import authorize, begin, boot, call, end, meters, status

NOTHING = "nothing"
RESULT = "CALLRESULT"
FORMATION, FORMAT, FRAMEWORK = "FormationViolation", "FormatViolation", "RpcFrameworkError"
TYPE, PROPERTY = "TypeConstraintViolation", "PropertyConstraintViolation"
OCCURRENCE_16, OCCURRENCE = "OccurenceConstraintViolation", "OccurrenceConstraintViolation"
ONLY_16, ONLY_2X, ALL = (Version.V16,), (Version.V201, Version.V21), tuple(Version)
BEFORE_21 = (Version.V16, Version.V201)

STARTED = {Version.V16: OpenTransaction, Version.V201: JudgeTransactionReport, Version.V21: JudgeTransactionReport}
ENDED = {Version.V16: CloseTransaction, Version.V201: TransactionReported, Version.V21: TransactionReported}


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
ROWS = [
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
    Row(15, "required field missing", call("BootNotification", {}), (OCCURRENCE_16, OCCURRENCE)),
    Row(16, "wrong type", lambda v: status(v, word=5), (TYPE, TYPE)),
    Row(17, "unknown word", lambda v: status(v, word="Sleeping"), handed=StatusReported,
        fields={"raw_status": "Sleeping", "status": "unknown", "flags": {"unknown_status"}}),
    Row(17, "text too long", lambda v: boot(
        v, **{"chargePointSerialNumber" if v is Version.V16 else "serialNumber": "s" * 300}),
        handed=BootStation, fields={"serial_number": "s" * 255}),
    Row(18, "unknown property", lambda v: status(v, vendorColour="red"), handed=StatusReported),
    Row(18, "custom data", lambda v: status(v, customData={"vendorId": "V", "x": [1]}), handed=StatusReported),
    Row(19, "too few items", call("MeterValues", {"evseId": 1, "meterValue": []}), (OCCURRENCE,), versions=ONLY_2X),
    Row(28, "nested 40 deep", beat(f'{{"a":{"[" * 40}{"]" * 40}}}'), REFUSED),
    Row(28, "nested 100,000 deep", beat("[" * 100_000 + "]" * 100_000), REFUSED),
    Row(28, "10,001 keys", beat("{" + ",".join(f'"{n}":0' for n in range(10_001)) + "}"), REFUSED),
    Row(28, "5,000 digits", beat(f'{{"a":{"9" * 5000}}}'), REFUSED),
    *(Row(29, number, beat(f'{{"a":{number}}}'), (FORMATION, FORMAT)) for number in ("NaN", "-Infinity", "1e400")),
    Row(30, "transaction id of 63 bits", lambda v: end(v, number=2**63 - 1), handed=CloseTransaction,
        fields={"number": 2**63 - 1}, versions=ONLY_16),
    Row(30, "transaction id of 70 bits", lambda v: end(v, number=2**70), handed=CloseTransaction,
        fields={"number": 2**63 - 1, "flags": {"number_out_of_range:1180591620717411303424"}}, versions=ONLY_16),
    Row(30, "another integer of 32 bits", lambda v: end(v, meter=2**31, seq=2**31), (PROPERTY, PROPERTY)),
    Row(31, "1.0 for an integer", lambda v: status(v, connector=1.0), handed=StatusReported,
        fields={"connector_id": 1}),
    Row(31, '"12" for a number', lambda v: status(v, connector="12"), handed=StatusReported,
        fields={"connector_id": 12}),
    Row(31, "a word for a number", lambda v: status(v, connector="one"), (TYPE, TYPE)),
    Row(32, "duplicate keys: the last wins", lambda v: status(v).replace(
        '"connectorId":1', '"connectorId":9,"connectorId":2'),
        handed=StatusReported, fields={"connector_id": 2}),
    Row(33, "NUL and half a surrogate pair", lambda v: status(v, word="X").replace('"X"', r'"A\u0000\ud800B"'),
        handed=StatusReported, fields={"raw_status": "A\ufffd\ufffdB"}),
    Row(33, "byte order mark", lambda v: "\ufeff" + status(v), handed=StatusReported),
    Row(33, "control and right-to-left characters", lambda v: status(v, word="\u202eX\u0007"), handed=StatusReported,
        fields={"raw_status": "\u202eX\u0007"}),
    Row(34, "time without zone", lambda v: status(v, at="2026-01-01T12:00:00"), handed=StatusReported,
        fields={"reported_at": "2026-01-01T12:00:00Z", "flags": {"time_no_zone:2026-01-01T12:00:00"}}),
    *(
        Row(35, f"time {text}", lambda v, text=text: status(v, at=text), handed=StatusReported,
            fields={"reported_at": at})
        for text, at in {
            "2026-01-01T02:00:00+02": "2026-01-01T00:00:00Z",
            "2026-01-01T02:00:00+0200": "2026-01-01T00:00:00Z",
            "2026-01-01t00:00:00z": "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00.123456789Z": "2026-01-01T00:00:00.123456Z",
            "2026-01-01T24:00:00Z": "2026-01-02T00:00:00Z",
            "2026-01-01T23:59:60Z": "2026-01-02T00:00:00Z",
        }.items()
    ),
    *(
        Row(36, f"time {text!r}", lambda v, text=text: begin(v, at=text), handed=STARTED, fields={"flags": {flag}})
        for text, flag in {
            "222222017-10-27T19:10:11Z": "time_out_of_range:222222017-10-27T19:10:11Z",
            "0001-01-01T00:00:00+14:00": "time_out_of_range:0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00": "time_out_of_range:9999-12-31T23:59:59-14:00",
            "1000000": "time_unparseable:1000000",
            "": "time_absent",
        }.items()
    ),
    Row(37, "negative meter", lambda v: begin(v, meter=-5), handed=OpenTransaction,
        fields={"meter_start_wh": -5, "flags": {"meter_start_wh_negative"}}, versions=ONLY_16),
    *(
        Row(39, f"sampled value {value!r}", lambda v, value=value: meters(v, value=value), handed=MetersSampled,
            fields={"value": value, "energy_wh": energy}, versions=ONLY_16)
        for value, energy in {"": None, "NaN": None, "12,5": 12, "1e3": 1000, "x" * 2500: None}.items()
    ),
    Row(39, "text for a number", lambda v: meters(v, value="NaN"), (TYPE,), versions=ONLY_2X),
    Row(40, "measurand of the vendor", lambda v: meters(v, measurand="Frogs"), handed=MetersSampled,
        fields={"measurand": "Frogs"}),
    *(
        Row(40, f"unit {unit}", lambda v, unit=unit: meters(v, measurand="Temperature", unit=unit),
            handed=MetersSampled, versions=ONLY_16)
        for unit in ("Celsius", "Celcius", "Hertz")
    ),
    *(
        Row(41, f"connector {number}", lambda v, number=number: status(v, connector=number), handed=StatusReported,
            fields={"connector_id": number, "flags": {"connector_id_negative"} if number < 0 else set()})
        for number in (0, -1, 999)
    ),
    *(
        Row(42, f"stop of {number}", lambda v, number=number: end(v, number=number), handed=CloseTransaction,
            fields={"number": number}, versions=ONLY_16)
        for number in (0, -1, 987654)
    ),
    Row(42, "end of an unknown transaction", end, handed=TransactionReported, versions=ONLY_2X),
    Row(43, "meter values outside a transaction", meters, handed=MetersSampled),
    Row(44, "another start", begin, handed=STARTED),
    Row(45, "old time", lambda v: status(v, at="2015-06-01T00:00:00Z"), handed=StatusReported),
    *(
        Row(46, f"id token {token!r}", lambda v, token=token: authorize(v, token), handed=JudgeToken,
            fields={"id_token": token})
        for token in ("", "x" * 40, "' OR 1=1 --", "<script>", "=cmd()", "\U0001f600", "aBc")
    ),
    Row(46, "id token with NUL", lambda v: authorize(v, "X").replace('"X"', r'"A\u0000"'), handed=JudgeToken,
        fields={"id_token": "A\ufffd"}),
    Row(47, "900 kB of data", call("DataTransfer", {"vendorId": "V", "data": "x" * 900_000}), handed=ReceiveData),
    Row(48, "serial number of 33 characters", lambda v: boot(
        v, **{"chargePointSerialNumber" if v is Version.V16 else "serialNumber": "s" * 33}),
        handed=BootStation, fields={"serial_number": "s" * 33}),
    Row(49, "1.6's words on 2.x", boot(Version.V16), (OCCURRENCE,), versions=ONLY_2X),
]  # fmt: skip
