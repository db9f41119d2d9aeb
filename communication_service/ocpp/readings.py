"""Meter readings, as 1.6 and 2.x share them: sampled values as they came, and three quantities in fixed units.

A reading is built as a plain dictionary of the shape of `MeterReading`, since most go straight to JSON.
Signed meter data is not taken over: only the plain values of a reading are.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from communication_service.ocpp.route import Written
from shared_contracts.stations import MetersSampled

DEFAULT_MEASURAND = "Energy.Active.Import.Register"


@dataclass(frozen=True, slots=True)
class Quantity:
    """What is taken out of the samples: its field in the contract, its units by factor, and what can be stored."""

    field: str
    factors: Mapping[str, float]
    lowest: float
    highest: float
    whole: bool = True


QUANTITIES: Mapping[str, Quantity] = {
    DEFAULT_MEASURAND: Quantity("energy_wh", {"wh": 1.0, "kwh": 1000.0}, -(2.0**62), 2.0**62),
    "Power.Active.Import": Quantity("power_w", {"w": 1.0, "kw": 1000.0}, -(2.0**31) + 1, 2.0**31 - 1),
    "SoC": Quantity("state_of_charge_percent", {"percent": 1.0, "%": 1.0}, 0.0, 100.0, whole=False),
}
"""By measurand. The unit is compared without regard to case; an absent unit is the first one."""


def reading(
    at: datetime, values: list[dict[str, str]], numeric: Iterable[dict[str, str]], flags: list[str]
) -> dict[str, Any]:
    """A reading with its energy, power and charge level; `numeric` are the samples that may hold them."""
    fields: dict[str, Any] = {"sampled_at": at}
    found: dict[str, Any] = {}
    for sample in numeric:
        if "phase" not in sample:
            _take(sample, found, flags)
    for quantity in QUANTITIES.values():
        if quantity.field in found:
            fields[quantity.field] = found[quantity.field]
    if values:
        fields["values"] = values
    if flags:
        fields["flags"] = flags
    return fields


def _take(sample: dict[str, str], found: dict[str, Any], flags: list[str]) -> None:
    """Take one sample out, unless another did and this one is measured elsewhere than at the outlet."""
    quantity = QUANTITIES[sample.get("measurand", DEFAULT_MEASURAND)]
    if quantity.field in found and sample.get("location", "Outlet") != "Outlet":
        return
    unit = sample.get("unit")
    factor = 1.0 if unit is None else quantity.factors.get(unit.lower())
    if factor is None:
        flags.append(f"{quantity.field}_unit_unknown:{unit[:20] if unit else ''}")
        return
    number = _number(sample["value"], flags)
    if number is None:
        flags.append(f"{quantity.field}_unreadable")
        return
    number *= factor
    if not quantity.lowest <= number <= quantity.highest:
        flags.append(f"{quantity.field}_out_of_range")
        return
    if number < 0:
        flags.append(f"{quantity.field}_negative")
    found[quantity.field] = round(number) if quantity.whole else number


def _number(text: str, flags: list[str]) -> float | None:
    """A finite number out of text as stations write it: `12.5`, `1e3`, ` 7 ` and, flagged, `12,5`; else None."""
    if "," in text:
        text = text.replace(",", ".", 1)
        flags.append("decimal_comma")
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in text else None


def metered(
    station_id: str,
    readings: list[dict[str, Any]],
    *,
    flags: list[str],
    evse_id: int | None = None,
    connector_id: int | None = None,
    transaction_ref: str | None = None,
) -> Written:
    """`MetersSampled` already written: 10 µs cheaper than by way of the model, for every second message there is."""
    fields: dict[str, Any] = {"station_id": station_id}
    if evse_id is not None:
        fields["evse_id"] = evse_id
    if connector_id is not None:
        fields["connector_id"] = connector_id
    if transaction_ref is not None:
        fields["transaction_ref"] = transaction_ref
    fields["readings"] = readings
    if flags:
        fields["flags"] = flags
    return Written(MetersSampled, station_id, orjson.dumps(fields, option=orjson.OPT_UTC_Z))
