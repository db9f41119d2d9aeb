"""MeterValues outside transactions (OCPP 2.0.1 J01), and the MeterValue that TransactionEvent carries too."""

from decimal import Decimal
from typing import Any

from communication_service.ocpp.readings import DEFAULT_MEASURAND, QUANTITIES, metered
from communication_service.ocpp.readings import reading as neutral_reading
from communication_service.ocpp.route import Context, Payload, Publish
from communication_service.ocpp.v201.words import MEASURANDS
from communication_service.ocpp.wire import moment, whole

_LARGEST_MULTIPLIER = 30
_LONGEST_INTEGER = 10**16


def meter_values(payload: Payload, context: Context) -> Publish:
    """Readings of an EVSE; EVSE 0 is the main meter."""
    flags: list[str] = []
    event = metered(
        context.station_id,
        [reading(meter_value, context) for meter_value in payload["meterValue"]],
        evse_id=whole(payload["evseId"], "evse_id", flags),
        flags=flags,
    )
    return Publish(event, {})


def reading(meter_value: Payload, context: Context) -> dict[str, Any]:
    """One MeterValue in the shape of `MeterReading`. Signed meter values are not taken over."""
    flags: list[str] = []
    at = moment(meter_value["timestamp"], context, flags)
    values, numeric = [], []
    for sample in meter_value["sampledValue"]:
        value = _sample(sample, flags)
        values.append(value)
        if value.get("measurand", DEFAULT_MEASURAND) in QUANTITIES:
            numeric.append(value)
    return neutral_reading(at, values, numeric, flags)


def _sample(sample: Payload, flags: list[str]) -> dict[str, str]:
    """A SampledValue with its number as text. The multiplier, a power of ten, goes into the number."""
    get = sample.get
    unit = get("unitOfMeasure") or {}
    value = {"value": _text(sample["value"], int(unit.get("multiplier") or 0), flags)}
    if (measurand := get("measurand")) and measurand != DEFAULT_MEASURAND:
        value["measurand"] = measurand
        if measurand not in MEASURANDS:
            flags.append(f"unknown_measurand:{measurand[:40]}")
    if unit_name := unit.get("unit"):
        value["unit"] = unit_name
    for field in ("phase", "location", "context"):
        if text := get(field):
            value[field] = text
    return value


def _text(number: float, multiplier: int, flags: list[str]) -> str:
    """The shortest text of a number: `10`, not `10.0`; with a multiplier it is shifted without rounding.

    An absurd multiplier stays visible, and makes the text no number.
    """
    if type(number) is float and number.is_integer() and abs(number) < _LONGEST_INTEGER:
        number = int(number)
    if not multiplier:
        return str(number)
    if abs(multiplier) > _LARGEST_MULTIPLIER:
        flags.append("multiplier_out_of_range")
        return f"{number}*10^{multiplier}"
    return f"{Decimal(str(number)).scaleb(multiplier).normalize():f}"
