"""Quirks that alter what a station sends. Each takes an action with its payload and returns another."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from simulator.frames import Payload

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_TRANSACTION_ID = re.compile(r'"transactionId":("[^"]*"|-?\d+)')


def naive_timestamps(_: str, payload: Payload) -> Payload:
    """Timestamps without a zone."""
    return _each_timestamp(payload, lambda text: text.removesuffix("Z"))


def short_offset(_: str, payload: Payload) -> Payload:
    """The same instants, two hours east, with an offset that lacks its minutes."""

    def shift(text: str) -> str:
        east = datetime.fromisoformat(text) + timedelta(hours=2)
        return east.strftime("%Y-%m-%dT%H:%M:%S+02")

    return _each_timestamp(payload, shift)


def clock_1970(_: str, payload: Payload) -> Payload:
    """Timestamps of a clock that lost its battery."""
    return _each_timestamp(payload, lambda text: "1970-01-01" + text[10:])


def huge_transaction_id(action: str, payload: Payload) -> Payload:
    """The largest 64-bit integer where 1.6 sends the id it was given."""
    if action in {"StopTransaction", "MeterValues"} and "transactionId" in payload:
        return payload | {"transactionId": 2**63 - 1}
    return payload


def stop_id_zero(action: str, payload: Payload) -> Payload:
    """The stop of a transaction that the station believes it began offline."""
    return payload | {"transactionId": 0} if action == "StopTransaction" else payload


def missing_transaction_id(_: str, text: str) -> str:
    """A number printed as nothing: no JSON any more."""
    return _TRANSACTION_ID.sub('"transactionId":', text)


def long_serial(action: str, payload: Payload) -> Payload:
    """33 characters where the schema allows 25."""
    if action != "BootNotification":
        return payload
    serial = "3N23" + "0" * 28 + "1"
    if "chargingStation" in payload:
        return payload | {"chargingStation": payload["chargingStation"] | {"serialNumber": serial}}
    return payload | {"chargePointSerialNumber": serial}


def odd_meter_type(action: str, payload: Payload) -> Payload:
    """A meterType longer than the 25 characters of 1.6."""
    if action != "BootNotification" or "chargePointVendor" not in payload:
        return payload
    return payload | {"meterType": "Internal MID-certified 3-phase meter"}


def frequency_in(unit: str) -> Callable[[str, Payload], Payload]:
    """Add the grid's frequency to each reading, in a unit that the versions spell differently."""

    def alter(_: str, payload: Payload) -> Payload:
        return _each_reading(payload, lambda values: [*values, _frequency(values, unit)])

    return alter


def _frequency(values: list[Payload], unit: str) -> Payload:
    """Return a reading of 50 Hz in the shape of its neighbours."""
    if any(isinstance(value["value"], str) for value in values):
        return {"value": "50.0", "measurand": "Frequency", "unit": unit}
    return {"value": 50.0, "measurand": "Frequency", "unitOfMeasure": {"unit": unit}}


def wrong_context(_: str, payload: Payload) -> Payload:
    """Every reading claims to be clock-aligned."""
    return _each_reading(payload, lambda values: [value | {"context": "Sample.Clock"} for value in values])


def corrupted_id_tag(_: str, payload: Payload) -> Payload:
    """An id token whose last characters were overwritten."""
    if "idTag" in payload:
        return payload | {"idTag": _corrupted(payload["idTag"])}
    if "idToken" in payload:
        token = payload["idToken"]
        return payload | {"idToken": token | {"idToken": _corrupted(token["idToken"])}}
    return payload


def _corrupted(token: str) -> str:
    """Overwrite the end of a token with a control character and NUL."""
    return token[:-2] + "\x7f\x00"


def seqno_zero(action: str, payload: Payload) -> Payload:
    """A sequence number that is never counted."""
    return payload | {"seqNo": 0} if action == "TransactionEvent" else payload


def v16_shapes(action: str, payload: Payload) -> Payload:
    """The payloads of 1.6 under the subprotocol of 2.x."""
    if action == "BootNotification" and "chargingStation" in payload:
        station = payload["chargingStation"]
        return {"chargePointVendor": station["vendorName"], "chargePointModel": station["model"]}
    if action == "StatusNotification" and "evseId" in payload:
        return {
            "connectorId": payload["evseId"],
            "errorCode": "NoError",
            "status": payload["connectorStatus"],
            "timestamp": payload["timestamp"],
        }
    return payload


def _each_timestamp(payload: Payload, change: Callable[[str], str]) -> Payload:
    """Return a copy in which every text that is an instant is changed."""
    return {key: _changed(item, change) for key, item in payload.items()}


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    """Return a copy of any JSON value in which every text that is an instant is changed."""
    match value:
        case dict():
            return _each_timestamp(value, change)
        case list():
            return [_changed(item, change) for item in value]
        case str() if _INSTANT.fullmatch(value):
            return change(value)
    return value


def _each_reading(payload: Payload, change: Callable[[list[Payload]], list[Payload]]) -> Payload:
    """Return a copy in which the sampled values of each meter value are changed."""
    if "meterValue" not in payload:
        return payload
    meter_values = [m | {"sampledValue": change(m["sampledValue"])} for m in payload["meterValue"]]
    return payload | {"meterValue": meter_values}
