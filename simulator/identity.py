"""Who a simulated station says it is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Identity:
    """What a BootNotification tells about the station."""

    vendor: str = "Strum"
    model: str = "Simulator"
    serial: str = "SIM"
    firmware: str = "1.0.0"
