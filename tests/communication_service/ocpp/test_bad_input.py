"""Each kind of bad input a station may send, and what it gets in each version."""

import json
from dataclasses import dataclass

import pytest

from communication_service.ocpp import actions, frames, schemas
from communication_service.ocpp.versions import Version

NOTHING = "nothing"
TAKEN = "taken"
FORMATION = "FormationViolation"
FORMAT = "FormatViolation"
FRAMEWORK = "RpcFrameworkError"


@dataclass(frozen=True)
class Case:
    """A text; and in 1.6, in 2.0.1 and in 2.1: nothing, taken, or `code id` of a CALLERROR."""

    what: str
    text: str
    v16: str
    v201: str
    v21: str | None = None

    def expected(self, version: Version) -> str:
        if version is Version.V16:
            return self.v16
        return self.v21 if version is Version.V21 and self.v21 is not None else self.v201


def call(action: str, payload: object, message_id: object = "7") -> str:
    return json.dumps([2, message_id, action, payload])


def boot(version: Version, **more: object) -> dict[str, object]:
    if version is Version.V16:
        return {"chargePointVendor": "V", "chargePointModel": "M"} | more
    return {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"} | more}


def reaction(text: str, version: Version, *, strict: bool = False) -> str:
    """What the edge does with a text, as far as it needs neither a socket nor a database."""
    match frames.parse(text, version, strict=strict):
        case frames.Malformed(answer=answer):
            return NOTHING if answer is None else _refused(answer)
        case frames.Call(message_id, action, payload):
            refusal = actions.refuse(version, action)
            if refusal is None:
                refusal = schemas.judge(version, action, payload, strict=strict).refusal
            return TAKEN if refusal is None else _refused(frames.dump_error(message_id, refusal, version))
    return TAKEN


def _refused(answer: str) -> str:
    kind, message_id, code, description, details = json.loads(answer)
    assert kind in {4, 5}
    assert 0 < len(description) <= 255
    assert isinstance(details, dict)
    return f"{code} {json.dumps(message_id)}" if kind == 4 else f"CALLRESULTERROR {code} {json.dumps(message_id)}"


FRAMES = [
    Case("not JSON, id readable", '[2,"7","StopTransaction",{"a":,', f'{FORMATION} "7"', f'{FRAMEWORK} "7"'),
    Case("not JSON, cut after the id", '[2,"7"', f'{FORMATION} "7"', f'{FRAMEWORK} "7"'),
    Case("not JSON, id readable, cut", '[2,"7",', f'{FORMATION} "7"', f'{FRAMEWORK} "7"'),
    Case("not JSON, number as id", '[2, 7, "A", {', f"{FORMATION} 7", f'{FRAMEWORK} "-1"'),
    Case("not JSON, id too long", f'[2,"{"x" * 40}",{{', f'{FORMATION} "{"x" * 36}"', f'{FRAMEWORK} "-1"'),
    Case("not JSON, id unreadable", '[2,"7', NOTHING, f'{FRAMEWORK} "-1"'),
    Case("not JSON at all", "GET / HTTP/1.1", NOTHING, f'{FRAMEWORK} "-1"'),
    Case("broken CALLRESULT", '[3,"7",{', NOTHING, NOTHING, f'CALLRESULTERROR {FRAMEWORK} "7"'),
    Case("broken CALLERROR", '[4,"7",{', NOTHING, NOTHING),
    Case("object", "{}", NOTHING, f'{FRAMEWORK} "-1"'),
    Case("text", '"x"', NOTHING, f'{FRAMEWORK} "-1"'),
    Case("empty array", "[]", NOTHING, f'{FRAMEWORK} "-1"'),
    Case("only a type", "[2]", NOTHING, f'{FRAMEWORK} "-1"'),
    Case("null", "null", NOTHING, f'{FRAMEWORK} "-1"'),
    Case("number", "2", NOTHING, f'{FRAMEWORK} "-1"'),
    Case("empty", "", NOTHING, NOTHING),
    Case("whitespace", "  \n", NOTHING, f'{FRAMEWORK} "-1"'),
    Case("no payload", '[2,"7","Heartbeat"]', TAKEN, f'{FORMAT} "7"'),
    Case("null payload", '[2,"7","Heartbeat",null]', TAKEN, f'{FORMAT} "7"'),
    Case("array payload", '[2,"7","Heartbeat",[]]', f'{FORMATION} "7"', f'{FORMAT} "7"'),
    Case("text payload", '[2,"7","Heartbeat","{}"]', f'{FORMATION} "7"', f'{FORMAT} "7"'),
    Case("number payload", '[2,"7","Heartbeat",0]', f'{FORMATION} "7"', f'{FORMAT} "7"'),
    Case("extra element", '[2,"7","Heartbeat",{},1]', TAKEN, f'{FRAMEWORK} "7"'),
    *(
        Case(f"type {kind}", f'[{kind},"7","Heartbeat",{{}}]', NOTHING, 'MessageTypeNotSupported "7"')
        for kind in ("0", "1", "9", "-2", '"2"', "2.0", "true", "null", "{}", "[2]")
    ),
    Case("type unknown, no id", "[9]", NOTHING, 'MessageTypeNotSupported "-1"'),
    Case("SEND", '[6,"7","Nonsense",{}]', NOTHING, 'MessageTypeNotSupported "7"', TAKEN),
    Case("broken SEND", '[6,"7","NotifyPeriodicEventStream",[]]', NOTHING, 'MessageTypeNotSupported "7"', NOTHING),
    Case("CALLRESULTERROR", '[5,"7","A","",{}]', NOTHING, 'MessageTypeNotSupported "7"', TAKEN),
    Case("empty id", call("Heartbeat", {}, ""), f'{FORMATION} ""', f'{FRAMEWORK} "-1"'),
    Case("long id", call("Heartbeat", {}, "x" * 37), f'{FORMATION} "{"x" * 36}"', f'{FRAMEWORK} "-1"'),
    Case("longest id", call("Heartbeat", {}, "x" * 36), TAKEN, TAKEN),
    Case("number as id", call("Heartbeat", {}, 7), TAKEN, f'{FRAMEWORK} "-1"'),
    Case("number as id, refused", call("Nonsense", {}, 7), "NotImplemented 7", f'{FRAMEWORK} "-1"'),
    Case("fraction as id, refused", call("Nonsense", {}, 7.5), "NotImplemented 7.5", f'{FRAMEWORK} "-1"'),
    Case("object as id", call("Heartbeat", {}, {}), f'{FORMATION} "-1"', f'{FRAMEWORK} "-1"'),
    Case("boolean as id", call("Heartbeat", {}, True), f'{FORMATION} "-1"', f'{FRAMEWORK} "-1"'),
    Case("null as id", call("Heartbeat", {}, None), f'{FORMATION} "-1"', f'{FRAMEWORK} "-1"'),
    Case("unknown action", call("heartbeat", {}), 'NotImplemented "7"', 'NotImplemented "7"'),
    Case("path as action", call("../v21/schemas/Reset", {}), 'NotImplemented "7"', 'NotImplemented "7"'),
    Case("long action", call("x" * 900, {}), 'NotImplemented "7"', 'NotImplemented "7"'),
    Case("our action", call("Reset", {"type": "Hard"}), 'NotSupported "7"', 'NotSupported "7"'),
    Case(
        "SEND's action as a CALL",
        call("NotifyPeriodicEventStream", {}),
        'NotImplemented "7"',
        'NotImplemented "7"',
        'NotSupported "7"',
    ),
    *(
        Case(f"action {action}", f'[2,"7",{action},{{}}]', f'{FORMATION} "7"', f'{FRAMEWORK} "7"')
        for action in ("{}", "[]", "5", "null")
    ),
    Case("no action", '[2,"7"]', f'{FORMATION} "7"', f'{FRAMEWORK} "7"'),
    Case(
        "nested 40 deep",
        f'[2,"7","Heartbeat",{{"a":{"[" * 40}{"]" * 40}}}]',
        f'{FORMATION} "7"',
        f'{FRAMEWORK} "7"',
    ),
    Case(
        "nested 100,000 deep",
        f'[2,"7","Heartbeat",{"[" * 100_000}{"]" * 100_000}]',
        f'{FORMATION} "7"',
        f'{FRAMEWORK} "7"',
    ),
    Case(
        "10,001 keys",
        call("Heartbeat", dict.fromkeys(map(str, range(10_001)), 0)),
        f'{FORMATION} "7"',
        f'{FRAMEWORK} "7"',
    ),
    Case("10,001 items", call("Heartbeat", {"a": [0] * 10_001}), f'{FORMATION} "7"', f'{FRAMEWORK} "7"'),
    Case("5,000 digits", f'[2,"7","Heartbeat",{{"a":{"9" * 5000}}}]', f'{FORMATION} "7"', f'{FRAMEWORK} "7"'),
    *(
        Case(f"number {number}", f'[2,"7","Heartbeat",{{"a":{number}}}]', f'{FORMATION} "7"', f'{FORMAT} "7"')
        for number in ("NaN", "Infinity", "-Infinity", "1e400", "-1e400")
    ),
    Case("CALLRESULT", '[3,"7",{}]', TAKEN, TAKEN),
    Case("CALLRESULT without payload", '[3,"7"]', TAKEN, TAKEN),
    Case("CALLRESULT, array payload", '[3,"7",[]]', NOTHING, NOTHING, f'CALLRESULTERROR {FORMAT} "7"'),
    Case("CALLRESULT, object as id", "[3,{},{}]", NOTHING, NOTHING, f'CALLRESULTERROR {FRAMEWORK} "-1"'),
    *(
        Case(f"CALLERROR {error}", error, TAKEN, TAKEN)
        for error in (
            "[4]",
            '[4,"7"]',
            '[4,"7","NoSuchCode"]',
            '[4,"7",null,null,null]',
            '[4,null,"A","",{}]',
            '[4,"7",{},[],5,6]',
        )
    ),
    Case("duplicate keys", '[2,"7","Heartbeat",{"a":1,"a":2}]', TAKEN, TAKEN),
    Case("NUL in text", r'[2,"7","Heartbeat",{"a":"\u0000"}]', TAKEN, TAKEN),
    Case("lone surrogate in text", r'[2,"7","Heartbeat",{"a":"\udc00\ud800"}]', TAKEN, TAKEN),
    Case("byte order mark", '\ufeff[2,"7","Heartbeat",{}]', TAKEN, TAKEN),
    Case("byte order mark, broken", '\ufeff[2,"7","Heartbeat",{]', f'{FORMATION} "7"', f'{FRAMEWORK} "7"'),
]


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("case", FRAMES, ids=lambda case: case.what)
def test_a_frame_gets_the_answer_of_its_version(case: Case, version: Version) -> None:
    assert reaction(case.text, version) == case.expected(version)


STRICT = [
    Case("no payload", '[2,"7","Heartbeat"]', f'{FORMATION} "7"', f'{FORMAT} "7"'),
    Case("null payload", '[2,"7","Heartbeat",null]', TAKEN, f'{FORMAT} "7"'),
    Case("extra element", '[2,"7","Heartbeat",{},1]', f'{FORMATION} "7"', f'{FRAMEWORK} "7"'),
    Case("duplicate keys", '[2,"7","Heartbeat",{"a":1,"a":2}]', f'{FORMATION} "7"', f'{FORMAT} "7"'),
    Case("unknown property", '[2,"7","Heartbeat",{"a":1}]', f'{FORMATION} "7"', f'{FORMAT} "7"'),
]


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("case", STRICT, ids=lambda case: case.what)
def test_the_strict_profile_refuses_what_the_lenient_one_tolerates(case: Case, version: Version) -> None:
    assert reaction(case.text, version, strict=True) == case.expected(version)


@pytest.mark.parametrize(
    ("text", "strike"),
    [
        ('[2,"7",', True),
        ("", True),
        ("{}", True),
        ('[2,"7","Heartbeat",{"a":NaN}]', True),
        (f'[2,"7","Heartbeat",{"[" * 40}{"]" * 40}]', True),
        ('[9,"7"]', False),
        ('[2,"7","Heartbeat",[]]', False),
        ('[2,"","Heartbeat",{}]', False),
    ],
)
@pytest.mark.parametrize("version", Version)
def test_only_a_text_that_is_no_frame_is_a_strike(text: str, strike: bool, version: Version) -> None:
    frame = frames.parse(text, version)

    assert isinstance(frame, frames.Malformed)
    assert frame.strike is strike


OCCURRENCE = {Version.V16: "OccurenceConstraintViolation"}


@pytest.mark.parametrize("version", Version)
def test_a_missing_field_is_an_occurrence_violation_by_the_spelling_of_the_version(version: Version) -> None:
    code = OCCURRENCE.get(version, "OccurrenceConstraintViolation")
    assert reaction(call("BootNotification", {}), version) == f'{code} "7"'


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("value", [5, True, {}, ["x"]])
def test_a_wrong_type_is_a_type_violation(version: Version, value: object) -> None:
    name = "chargePointModel" if version is Version.V16 else "model"
    text = call("BootNotification", boot(version, **{name: value}))
    assert reaction(text, version) == 'TypeConstraintViolation "7"'


@pytest.mark.parametrize("version", Version)
def test_a_serial_number_of_33_characters_and_a_property_of_the_vendor_are_taken(version: Version) -> None:
    name = "chargePointSerialNumber" if version is Version.V16 else "serialNumber"
    text = call("BootNotification", boot(version, **{name: "s" * 33, "vendorColour": "red"}))

    assert reaction(text, version) == TAKEN
    assert reaction(text, version, strict=True) != TAKEN


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize(
    "time", ["2026-11-21T10:00:00", "2026-11-21 10:00:00", "2026-11-21T10:00:00+0100", "yesterday", ""]
)
def test_a_time_that_is_not_rfc_3339_is_refused_by_the_strict_profile(version: Version, time: str) -> None:
    status = {"timestamp": time, "connectorId": 1, "errorCode": "NoError", "status": "Available"}
    if version is not Version.V16:
        status = {"timestamp": time, "connectorId": 1, "evseId": 1, "connectorStatus": "Available"}
    text = call("StatusNotification", status)
    proper = call("StatusNotification", status | {"timestamp": "2026-11-21T10:00:00+01:00"})

    assert reaction(text, version) == TAKEN
    assert reaction(text, version, strict=True) == 'PropertyConstraintViolation "7"'
    assert reaction(proper, version, strict=True) == TAKEN


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
def test_a_message_of_1_6_is_refused_on_2_x(version: Version) -> None:
    text = call("BootNotification", boot(Version.V16))
    assert reaction(text, version) == 'OccurrenceConstraintViolation "7"'


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
def test_too_few_items_are_an_occurrence_violation(version: Version) -> None:
    text = call("MeterValues", {"evseId": 1, "meterValue": []})
    assert reaction(text, version) == 'OccurrenceConstraintViolation "7"'


STOP = {"meterStop": 5, "timestamp": "2026-01-01T00:00:00Z", "transactionId": 1}


@pytest.mark.parametrize("number", [2**31, 2**63 - 1, 2**70, -(2**31) - 1])
def test_a_large_transaction_id_is_taken_and_another_large_integer_is_not(number: int) -> None:
    assert reaction(call("StopTransaction", STOP | {"transactionId": number}), Version.V16) == TAKEN
    refused = reaction(call("StopTransaction", STOP | {"meterStop": number}), Version.V16)
    assert refused == 'PropertyConstraintViolation "7"'
