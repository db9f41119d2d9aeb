import json
from importlib.resources import files
from typing import Any

import pytest

from communication_service.ocpp import actions, schemas
from communication_service.ocpp.errors import Fault
from communication_service.ocpp.schemas import Kind, judge, violations
from communication_service.ocpp.versions import Version

FOLDERS = {Version.V16: "v16", Version.V201: "v201", Version.V21: "v21"}
HALVES = [
    (version, action, kind)
    for version in Version
    for action in actions.KNOWN[version]
    for kind in Kind
    if kind is Kind.REQUEST or action not in actions.SENT_WITHOUT_ANSWER
]


def official_schema(version: Version, action: str, kind: Kind) -> dict[str, Any]:
    folder = files("ocpp").joinpath(FOLDERS[version], "schemas")
    names = [f"{action}Response.json"] if kind is Kind.RESPONSE else [f"{action}Request.json", f"{action}.json"]
    path = next(folder.joinpath(name) for name in names if folder.joinpath(name).is_file())
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8-sig"))
    return schema


OF_FORMAT = {"date-time": "2026-11-21T10:00:00Z"}


def sample(node: dict[str, Any], root: dict[str, Any], *, full: bool) -> Any:
    """A value that the schema describes: with every property, or with the required ones only."""
    if "$ref" in node:
        node = root["definitions"][node["$ref"].removeprefix("#/definitions/")]
    value: Any = min(8.1, node.get("maximum", 8.1))
    match node.get("type", "object"):
        case _ if "enum" in node:
            value = node["enum"][-1]
        case "object":
            names = node.get("properties", {}) if full else node.get("required", [])
            value = {name: sample(node["properties"][name], root, full=full) for name in names}
        case "array":
            value = [sample(node["items"], root, full=full)] * max(1, node.get("minItems", 1))
        case "string":
            value = OF_FORMAT.get(node.get("format", "")) or "x" * min(node.get("maxLength", 9), 9)
        case "boolean":
            value = True
        case "integer":
            value = int(node.get("minimum", 1))
    return value


@pytest.mark.parametrize("full", [False, True], ids=["required", "full"])
@pytest.mark.parametrize(("version", "action", "kind"), HALVES, ids=str)
def test_a_payload_as_the_official_schema_describes_it_is_accepted(
    version: Version, action: str, kind: Kind, full: bool
) -> None:
    schema = official_schema(version, action, kind)
    payload = sample(schema, schema, full=full)

    assert violations(version, action, payload, kind) == ()


@pytest.mark.parametrize(("version", "action", "kind"), HALVES, ids=str)
def test_a_payload_without_its_required_properties_is_refused(version: Version, action: str, kind: Kind) -> None:
    missing = official_schema(version, action, kind).get("required", [])

    found = violations(version, action, {}, kind)

    assert {one.pointer for one in found} == {f"/{name}" for name in missing}
    assert {one.fault for one in found} <= {Fault.OCCURRENCE}


def meter_values(**sampled: Any) -> dict[str, Any]:
    value = {"value": "1"} | sampled
    return {"connectorId": 1, "meterValue": [{"timestamp": "2026-01-01T00:00:00Z", "sampledValue": [value]}]}


def test_a_violation_says_where_it_is_and_not_what_was_there() -> None:
    (found,) = violations(Version.V16, "MeterValues", meter_values(value=4711))

    assert (found.pointer, found.keyword) == ("/meterValue/0/sampledValue/0/value", "type")
    assert "4711" not in found.message
    assert found.refusal.fault is Fault.TYPE
    assert found.refusal.description.startswith("/meterValue/0/sampledValue/0/value: ")


def test_a_missing_property_is_pointed_at_by_its_own_name() -> None:
    payload = {"connectorId": 1, "meterValue": [{"sampledValue": [{"value": "1"}]}]}
    (found,) = violations(Version.V16, "MeterValues", payload)
    assert found.pointer == "/meterValue/0/timestamp"


@pytest.mark.parametrize(
    ("version", "action", "payload", "keyword", "fault"),
    [
        (Version.V16, "Authorize", {}, "required", Fault.OCCURRENCE),
        (Version.V16, "Authorize", {"idTag": 5}, "type", Fault.TYPE),
        (Version.V16, "Authorize", {"idTag": "x" * 21}, "maxLength", Fault.PROPERTY),
        (Version.V16, "Authorize", {"idTag": "x", "more": 1}, "additionalProperties", Fault.FORMAT),
        (Version.V16, "Reset", {"type": "Gentle"}, "enum", Fault.PROPERTY),
        (Version.V16, "ChangeAvailability", {"connectorId": 2**31, "type": "Operative"}, "maximum", Fault.PROPERTY),
        (Version.V201, "GetVariables", {"getVariableData": []}, "minItems", Fault.OCCURRENCE),
        (Version.V21, "ClosePeriodicEventStream", {"id": -1}, "minimum", Fault.PROPERTY),
    ],
)
def test_each_kind_of_violation_has_its_fault(
    version: Version, action: str, payload: dict[str, Any], keyword: str, fault: Fault
) -> None:
    (found,) = violations(version, action, payload)
    assert (found.keyword, found.fault) == (keyword, fault)


@pytest.mark.parametrize(
    ("payload", "keyword"),
    [
        (meter_values(measurand="Celsius.Of.Vendor"), "enum"),
        (meter_values(vendor="x"), "additionalProperties"),
        (meter_values() | {"transactionId": 2**63 - 1}, "maximum"),
        (meter_values() | {"transactionId": 2**64}, "maximum"),
    ],
)
def test_the_lenient_profile_takes_vendor_quirks_as_they_are_and_says_so(payload: dict[str, Any], keyword: str) -> None:
    verdict = judge(Version.V16, "MeterValues", payload)

    assert verdict.refusal is None
    assert verdict.payload == payload
    assert [one.keyword for one in verdict.tolerated] == [keyword]
    assert judge(Version.V16, "MeterValues", payload, strict=True).refusal is not None


def test_a_long_text_is_kept_and_an_endless_one_cut() -> None:
    long, endless = {"idTag": "x" * 255}, {"idTag": "x" * 100_000}

    assert judge(Version.V16, "Authorize", long).payload == long
    cut = judge(Version.V16, "Authorize", endless)
    assert (cut.refusal, cut.payload) == (None, long)
    assert [one.keyword for one in cut.tolerated] == ["maxLength"]
    assert endless == {"idTag": "x" * 100_000}


@pytest.mark.parametrize(("written", "read"), [("12", 12), (None, None), (12.0, 12), ("-3", -3)])
def test_a_number_in_quotes_a_null_and_a_whole_float_are_taken(written: object, read: object) -> None:
    payload = meter_values() | {"transactionId": written}

    verdict = judge(Version.V16, "MeterValues", payload)

    assert verdict.refusal is None
    assert verdict.payload.get("transactionId") == read


@pytest.mark.parametrize("written", ["", "x", "12,5", "1e3", "0x1", "1_000", "٣", None, "9" * 400])
def test_what_is_no_number_for_a_required_number_is_refused(written: object) -> None:
    payload = {"evseId": 1, "meterValue": [{"timestamp": "", "sampledValue": [{"value": written}]}]}
    assert judge(Version.V201, "MeterValues", payload).refusal is not None


def test_a_refusal_is_of_what_is_not_tolerable() -> None:
    verdict = judge(Version.V16, "Authorize", {"idTag": 5, "more": 1})

    assert [one.keyword for one in verdict.refused] == ["type"]
    assert [one.keyword for one in verdict.tolerated] == ["additionalProperties"]


def test_a_payload_wrong_ten_thousand_times_is_told_so_twenty_times() -> None:
    payload = {"connectorId": 1, "meterValue": [{"x": 1}] * 5_000}
    verdict = judge(Version.V16, "MeterValues", payload)
    assert len(verdict.refused) == 20
    assert 0 < len(verdict.tolerated) <= 20


def test_custom_data_never_costs_a_message() -> None:
    assert judge(Version.V201, "Heartbeat", {"customData": {"x": 1}}).refusal is None


@pytest.mark.parametrize("data", ["\ud800", 2**70, {1: 2}, {"a": object()}])
def test_what_json_cannot_carry_is_a_violation(data: object) -> None:
    (found,) = violations(Version.V16, "DataTransfer", {"vendorId": "x", "data": data})
    assert (found.pointer, found.keyword) == ("", "json")


@pytest.mark.parametrize("action", ["Nonsense", "../v21/schemas/Reset", "Reset.json"])
def test_an_action_that_the_version_does_not_know_has_no_schema(action: str) -> None:
    with pytest.raises(KeyError):
        schemas.violations(Version.V201, action, {})


@pytest.mark.parametrize("path", ["fw_[v1].bin", "{id}.bin", "a|b", "100%.bin", "größe.bin"])
def test_a_url_that_file_servers_take_is_sent_though_it_is_no_uri_to_the_letter(path: str) -> None:
    payload = {"location": f"ftp://u:p@ss@example.org/{path}", "retrieveDate": "2026-11-21T10:00:00Z"}

    assert violations(Version.V16, "UpdateFirmware", payload) == ()
    (found,) = violations(Version.V16, "UpdateFirmware", payload | {"retrieveDate": "2026-11-21T10:00:00"})
    assert (found.pointer, found.keyword) == ("/retrieveDate", "format")
