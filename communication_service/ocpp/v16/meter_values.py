"""MeterValues (OCPP 1.6 §4.7): half of all messages, hence written for speed."""

from typing import Any

from communication_service.ocpp.readings import DEFAULT_MEASURAND, QUANTITIES, metered
from communication_service.ocpp.readings import reading as neutral_reading
from communication_service.ocpp.route import Context, Payload, Publish
from communication_service.ocpp.v16.words import MEASURANDS
from communication_service.ocpp.wire import maybe_whole, moment, whole


def meter_values(payload: Payload, context: Context) -> Publish:
    """Readings of a connector, of a transaction if the station names one."""
    flags: list[str] = []
    connector_id = whole(payload["connectorId"], "connector_id", flags)
    number = maybe_whole(payload.get("transactionId"), "transaction_ref", flags, bits=64)
    event = metered(
        context.station_id,
        [reading(meter_value, context) for meter_value in payload["meterValue"]],
        connector_id=connector_id,
        transaction_ref=None if number is None else str(number),
        flags=flags,
    )
    return Publish(event, {})


def reading(meter_value: Payload, context: Context) -> dict[str, Any]:
    """One MeterValue (§7.33) in the shape of `MeterReading`. Signed data is kept, but no quantity is read from it."""
    flags: list[str] = []
    at = moment(meter_value["timestamp"], context, flags)
    values, numeric = [], []
    for sample in meter_value["sampledValue"]:
        get = sample.get
        value = {"value": sample["value"]}
        measurand = get("measurand") or DEFAULT_MEASURAND
        if measurand != DEFAULT_MEASURAND:
            value["measurand"] = measurand
            if measurand not in MEASURANDS:
                flags.append(f"unknown_measurand:{measurand[:40]}")
        for field in ("unit", "phase", "location", "context"):
            if text := get(field):
                value[field] = text
        values.append(value)
        if measurand in QUANTITIES and get("format") != "SignedData":
            numeric.append(value)
    return neutral_reading(at, values, numeric, flags)
