"""What the meter of a connector shows, version-neutral."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

ENERGY = "Energy.Active.Import.Register"
VOLTAGE_V = 230
PHASES = ("L1", "L2", "L3")


@dataclass(frozen=True, slots=True)
class Reading:
    """One measured value."""

    measurand: str
    value: int | float
    unit: str
    phase: str | None = None


def readings(wh: int, power_w: int, measurands: tuple[str, ...]) -> Iterator[Reading]:
    """Yield what a three-phase meter shows for the asked measurands; the energy always."""
    yield Reading(ENERGY, wh, "Wh")
    if "Power.Active.Import" in measurands:
        yield Reading("Power.Active.Import", power_w, "W")
    if "Current.Import" in measurands:
        current = round(power_w / VOLTAGE_V / len(PHASES), 1)
        yield from (Reading("Current.Import", current, "A", phase) for phase in PHASES)
    if "Voltage" in measurands:
        yield from (Reading("Voltage", VOLTAGE_V, "V", f"{phase}-N") for phase in PHASES)


def stamp(at: datetime) -> str:
    """Write a time as stations do: UTC, milliseconds, Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
