"""What can go wrong in diagnostics."""

from modules.kernel.errors import NotFound


class ReplayNotFound(NotFound):
    """No replay has this id."""

    code = "replay_not_found"
    title = "No such replay"


class LogRequestNotFound(NotFound):
    """No request for a log has this id."""

    code = "log_request_not_found"
    title = "No such request for a log"
