"""Every kind of bad payload as a row, as `bad_input` has frames. The numbers are those of docs/bad-input.md."""

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
from tests.communication_service.bad_input import (
    OCCURRENCE,
    OCCURRENCE_16,
    ONLY_2X,
    ONLY_16,
    PROPERTY,
    TYPE,
    Row,
)
from tests.communication_service.phrases import authorize, begin, boot, call, end, meters, status

SECRET = "c4n4ry"
DECIMALS = "2026-01-01T00:00:00.123456789Z"  # RFC 3339 allows as many as one likes
_HASHES = ("issuerNameHash", "issuerKeyHash", "serialNumber", "responderURL")
CERTIFICATE = {"hashAlgorithm": "SHA256", **dict.fromkeys(_HASHES, "x")}
STARTED = {Version.V16: OpenTransaction, Version.V201: JudgeTransactionReport, Version.V21: JudgeTransactionReport}
ENDED = {Version.V16: CloseTransaction, Version.V201: TransactionReported, Version.V21: TransactionReported}


def in_unit(version: Version, unit: str) -> dict[str, Any]:
    """How a sample names its unit."""
    return {"unit": unit} if version is Version.V16 else {"unitOfMeasure": {"unit": unit}}


PAYLOADS = [
    Row(15, "required field missing", call("BootNotification", {}), (OCCURRENCE_16, OCCURRENCE)),
    Row(16, "wrong type", lambda v: status(v, word=5), (TYPE, TYPE)),
    Row(17, "unknown word", lambda v: status(v, word="Sleeping"), handed=StatusReported,
        fields={"raw_status": "Sleeping", "status": "unknown", "flags": {"unknown_status"}}),
    Row(17, "text too long", lambda v: boot(
        v, **{"chargePointSerialNumber" if v is Version.V16 else "serialNumber": "s" * 300}),
        handed=BootStation, fields={"serial_number": "s" * 255}),
    Row(18, "unknown property", lambda v: status(v, vendorColour="red"), handed=StatusReported),
    Row(18, "unknown property that is a secret", lambda v: status(v, password=SECRET), handed=StatusReported),
    Row(18, "custom data", lambda v: status(v, customData={"vendorId": "V", "x": [1]}), handed=StatusReported),
    Row(19, "too few items", lambda v: call(
        "MeterValues", {"connectorId" if v is Version.V16 else "evseId": 1, "meterValue": []}),
        (OCCURRENCE_16, OCCURRENCE)),
    Row(19, "too many items", lambda v: authorize(v, "ABC", iso15118CertificateHashData=[CERTIFICATE] * 5),
        (OCCURRENCE,), versions=ONLY_2X),
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
    Row(34, "time without zone", lambda v: status(v, at="2026-01-01T12:00:00"), handed=StatusReported,
        fields={"reported_at": "2026-01-01T12:00:00Z", "flags": {"time_no_zone:2026-01-01T12:00:00"}}),
    *(
        Row(35, f"time {text}", lambda v, text=text: status(v, at=text), handed=StatusReported,
            fields={"reported_at": at, "flags": {f"time_not_standard:{text}"} - {"time_not_standard:" + DECIMALS}})
        for text, at in {
            "2026-01-01T02:00:00+02": "2026-01-01T00:00:00Z",
            "2026-01-01T02:00:00+0200": "2026-01-01T00:00:00Z",
            "2026-01-01t00:00:00z": "2026-01-01T00:00:00Z",
            DECIMALS: "2026-01-01T00:00:00.123456Z",
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
        fields={"measurand": "Frogs", "flags": {"unknown_measurand:Frogs"}}),
    *(
        Row(40, f"unit {unit}", lambda v, unit=unit: meters(v, measurand="Voltage", **in_unit(v, unit)),
            handed=MetersSampled, fields={"unit": unit, "flags": set()})
        for unit in ("Celsius", "Celcius", "Hertz")
    ),
    Row(40, "unit of energy that is none", lambda v: meters(v, **in_unit(v, "Frogs")), handed=MetersSampled,
        fields={"unit": "Frogs", "energy_wh": None, "flags": {"energy_wh_unit_unknown:Frogs"}}),
    Row(40, "phase and context", lambda v: meters(v, phase="L9", context="Frogs"), handed=MetersSampled,
        fields={"phase": "L9", "context": "Frogs", "flags": set()}),
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
