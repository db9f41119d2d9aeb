"""Why an operator's wish concerning the quarantine cannot be carried out."""

from modules.kernel.errors import Conflict, NotFound, Unavailable


class NotInQuarantine(NotFound):
    """No such row in the quarantine of this module."""

    code = "not_in_quarantine"
    title = "There is nothing with this id in the quarantine"


class AlreadyDealtWith(Conflict):
    """It was replayed or discarded before."""

    code = "quarantine_already_dealt_with"
    title = "It was dealt with before"


class NoSingleMessage(Conflict):
    """A batch cannot be corrected, and what is no message cannot be replayed."""

    code = "quarantine_no_single_message"
    title = "It is not one message"


class AuditRecordStays(Conflict):
    """Nobody writes an audit record by hand: one that was set aside is replayed as it came, or discarded."""

    code = "quarantine_audit_record"
    title = "An audit record is not written by hand"


class StandsStill(Unavailable):
    """Handled once more, it did not return."""

    code = "quarantine_stands_still"
    title = "It was not handled in time"
