"""How stations are set up. Owner: modules/configuration."""

from typing import ClassVar

from shared_contracts.message import Event, StationId, UtcTime


class FirmwareUpdateProgressed(Event):
    """A firmware update that an operator asked for moved on."""

    key: ClassVar[str] = "configuration.firmware_update_progressed.v1"
    station_id: StationId
    update_id: str
    state: str
    happened_at: UtcTime
