"""What callers of this module may be refused with."""

from modules.kernel.errors import Conflict, NotFound, Problem


class StationNotFound(NotFound):
    """No station is registered under this identity."""

    def __init__(self, station_id: str) -> None:
        super().__init__(f"There is no charging station {station_id!r}.")


class FirmwareUpdateNotFound(NotFound):
    """The station has no firmware update with this id."""

    def __init__(self, update_id: str) -> None:
        super().__init__(f"There is no firmware update {update_id!r} of this charging station.")


class ChargingProfileNotFound(NotFound):
    """Neither the station nor this module knows a charging profile with this id."""

    def __init__(self, profile_id: int | str) -> None:
        super().__init__(f"There is no charging profile {profile_id} on this charging station.")


class StationOffline(Conflict):
    """The station is not connected, so it was not told anything."""

    code = "station_offline"
    title = "The charging station is not connected"

    def __init__(self, station_id: str) -> None:
        super().__init__(f"The charging station {station_id!r} is not connected.")


class CommandInvalid(Problem):
    """The command cannot be said to this station: its version of OCPP has no words for it, or it breaks a rule."""

    status = 422
    code = "command_invalid"
    title = "The command cannot be sent to this charging station"

    def __init__(self, command_id: str, detail: str) -> None:
        super().__init__(detail, command_id=command_id)


class CommandRefused(Conflict):
    """The station did not do what it was told, or it is not known whether it did."""

    code = "command_refused"
    title = "The charging station did not accept the command"

    def __init__(self, command_id: str, outcome: str, status: str | None) -> None:
        super().__init__(f"The outcome is {outcome}.", command_id=command_id, outcome=outcome, ocpp_status=status)
