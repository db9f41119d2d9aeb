"""What can go wrong in diagnostics."""

from modules.kernel.errors import Gone, NotFound


class ReplayNotFound(NotFound):
    """No replay has this id."""

    code = "replay_not_found"
    title = "No such replay"


class StationNotFound(NotFound):
    """No charging station can have this id."""

    def __init__(self, station_id: str) -> None:
        super().__init__(f"There is no charging station {station_id!r}.")


class LogRequestNotFound(NotFound):
    """No request for a log has this id."""

    code = "log_request_not_found"
    title = "No such request for a log"


class EventsNotKept(Gone):
    """Events after this position were dropped: begin again without it, and read what is kept by /events."""

    code = "events_not_kept"
    title = "Events after this position are not kept any more"
