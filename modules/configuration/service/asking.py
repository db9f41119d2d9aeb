"""Tells stations something, through the module that keeps the commands."""

from modules.configuration.domain.answers import Answer
from modules.configuration.errors import CommandInvalid, StationNotFound, StationOffline
from modules.kernel.destinations import DestinationRefused
from modules.kernel.work import Work
from shared_contracts.bus import RequestFailed
from shared_contracts.charge_points import CommandIssued, IssueCommand
from shared_contracts.commands import Command, CommandOutcome
from shared_contracts.message import LONGEST_STATION_ID

_WAIT_S = 10.0
_GRACE_S = 5.0


async def tell_station(
    work: Work, station_id: str, command: Command, *, issued_by: str, idempotency_key: str | None = None
) -> CommandIssued:
    """Issue a command and wait a while for its outcome, whatever that is.

    Raises StationNotFound, DestinationRefused.
    """
    if len(station_id) > LONGEST_STATION_ID:
        raise StationNotFound(station_id)
    message = IssueCommand(
        station_id=station_id,
        command=command,
        issued_by=issued_by,
        idempotency_key=idempotency_key,
        wait_s=_WAIT_S,
    )
    try:
        return await work.ask(message, timeout=_WAIT_S + _GRACE_S)
    except RequestFailed as refusal:
        if refusal.code == StationNotFound.code:
            raise StationNotFound(station_id) from refusal
        if refusal.code == DestinationRefused.code:
            raise DestinationRefused(refusal.detail) from refusal
        raise


async def ask_station(
    work: Work, station_id: str, command: Command, *, issued_by: str
) -> tuple[CommandIssued, Answer | None]:
    """The same for a command that must reach the station: raises StationOffline, CommandInvalid.

    The answer is None while the command is under way.
    """
    issued = await tell_station(work, station_id, command, issued_by=issued_by)
    must_have_been_sent(issued, station_id)
    return issued, Answer.of_reply(issued, station_id, issued_by, work.now)


def must_have_been_sent(issued: CommandIssued, station_id: str) -> None:
    """Raise StationOffline or CommandInvalid for a command that did not reach the station."""
    if issued.outcome is CommandOutcome.OFFLINE:
        raise StationOffline(station_id)
    if issued.outcome is CommandOutcome.INVALID and issued.error_description:
        raise CommandInvalid(issued.command_id, issued.error_description)
