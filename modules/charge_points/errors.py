"""What callers of this module may be refused with."""

from collections.abc import Sequence

from modules.kernel.errors import Conflict, NotFound, Problem
from shared_contracts.message import JsonObject


class StationNotFound(NotFound):
    """No station is registered under this identity."""

    def __init__(self, station_id: str) -> None:
        super().__init__(f"There is no charging station {station_id!r}.")


class StationExists(Conflict):
    """The identity is taken."""

    code = "station_exists"
    title = "The charging station is registered already"

    def __init__(self, station_id: str) -> None:
        super().__init__(f"The charging station {station_id!r} is registered already.")


class CommandNotFound(NotFound):
    """No command has this id."""

    def __init__(self, command_id: str) -> None:
        super().__init__(f"There is no command {command_id!r}.")


class IdempotencyKeyReused(Conflict):
    """The key was used for another command to the same station."""

    code = "idempotency_key_reused"
    title = "The idempotency key was used for another command"


class InvalidPayload(Problem):
    """A raw call does not fit the schema of the station's OCPP version, so it was not sent."""

    code = "invalid_payload"
    title = "The payload does not fit the OCPP schema"

    def __init__(self, detail: str, command_id: str, violations: Sequence[JsonObject]) -> None:
        super().__init__(detail, command_id=command_id, violations=list(violations))
