"""What a station's answer to a command means: OCPP's status words, of all versions, and the outcome of each."""

from collections.abc import Sequence

from communication_service.ocpp.route import Payload
from shared_contracts.commands import CommandAnswered, CommandOutcome
from shared_contracts.message import Value

_ACCEPTED = frozenset({"Accepted", "AcceptedCanceled", "EmptyResultSet", "RebootRequired", "Scheduled", "Unlocked"})
_REJECTED = frozenset(
    {
        "InvalidCertificate",
        "NotImplemented",
        "NotSupported",
        "NotSupportedAttributeType",
        "OngoingAuthorizedTransaction",
        "Rejected",
        "RevokedCertificate",
        "Unknown",
        "UnknownComponent",
        "UnknownConnector",
        "UnknownVariable",
        "UnlockFailed",
    }
)


def outcome(status: object) -> CommandOutcome:
    """Accepted, rejected, or invalid for a word that OCPP does not have."""
    if not isinstance(status, str):
        return CommandOutcome.INVALID
    if status in _ACCEPTED:
        return CommandOutcome.ACCEPTED
    return CommandOutcome.REJECTED if status in _REJECTED else CommandOutcome.INVALID


def by_status(_: Value, answers: list[Payload]) -> CommandAnswered:
    """Read the `status` of the one answer."""
    status = answers[0].get("status")
    return CommandAnswered(outcome=outcome(status), status=word(status), payload=answers[0])


def by_arrival(_: Value, answers: list[Payload]) -> CommandAnswered:
    """An answer without a status (1.6 GetDiagnostics, UpdateFirmware) accepts by being there."""
    return CommandAnswered(outcome=CommandOutcome.ACCEPTED, payload=answers[0])


def all_of(statuses: Sequence[object]) -> tuple[CommandOutcome, str | None]:
    """The verdict on a change of several things: refused if one is; otherwise the word that is not Accepted, if any."""
    for status in statuses:
        if outcome(status) is not CommandOutcome.ACCEPTED:
            return outcome(status), word(status)
    return CommandOutcome.ACCEPTED, word(next((s for s in statuses if s != "Accepted"), "Accepted"))


def any_of(statuses: Sequence[object]) -> tuple[CommandOutcome, str | None]:
    """The verdict on reading several things: accepted if one was read, or if there was nothing to read."""
    if not statuses or "Accepted" in statuses:
        return CommandOutcome.ACCEPTED, "Accepted"
    return outcome(statuses[0]), word(statuses[0])


def word(status: object) -> str | None:
    """The status as text, None if the station left it out."""
    return status if isinstance(status, str) else None
