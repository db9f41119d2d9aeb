"""What can go wrong with transactions, as a client sees it."""

from modules.kernel.errors import Conflict, Forbidden, NotFound


class TransactionNotFound(NotFound):
    """No transaction has this id, or it is somebody else's."""

    code = "transaction_not_found"
    title = "There is no such transaction"

    def __init__(self, transaction_id: str) -> None:
        super().__init__(transaction_id=transaction_id)


class TransactionOver(Conflict):
    """What is over cannot be stopped."""

    code = "transaction_over"
    title = "The transaction is over"


class NotYourToken(Forbidden):
    """A driver starts with a token of their own; whether another exists is not said."""

    code = "not_your_token"
    title = "This is none of your id tokens"


class IdTokenRefused(Conflict):
    """The token would be refused by the station too."""

    code = "id_token_refused"
    title = "This id token may not charge"


class StationNotConnected(Conflict):
    """The station is not connected, so nothing was sent."""

    code = "station_offline"
    title = "The station is offline"


class CommandRejected(Conflict):
    """The station answered, and not with what was asked."""

    code = "command_rejected"
    title = "The station did not accept the command"


class CommandFailed(Conflict):
    """The command could not be given, or the station answered with an error."""

    code = "command_failed"
    title = "The command failed"
