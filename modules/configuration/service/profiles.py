"""Sending charging profiles to stations and taking them back (OCPP 1.6 §3.13, 2.0.1 K01, K10)."""

from collections.abc import Sequence

from modules.configuration.domain.answers import Answer
from modules.configuration.domain.profiles import ProfileState, SentProfile, clearable, sent, storable
from modules.configuration.errors import ChargingProfileNotFound, CommandRefused
from modules.configuration.repository import profiles as stored
from modules.configuration.service.asking import ask_station
from modules.kernel.work import Work
from shared_contracts.commands import ClearChargingProfile, CommandOutcome, SetChargingProfile

_NO_SUCH_PROFILE = "Unknown"


async def send(work: Work, station_id: str, command: SetChargingProfile, *, issued_by: str) -> SentProfile:
    """Give a station a charging profile; its state is unknown while the command is under way."""
    issued, answer = await ask_station(work, station_id, command, issued_by=issued_by)
    if answer is None:
        outcome = CommandOutcome.TIMED_OUT
        answer = Answer(issued.command_id, station_id, outcome, None, (), issued_by, work.now)
    profile = sent(command, answer)
    await _store(work, profile)
    return profile


async def clear(work: Work, station_id: str, profile_id: int, *, issued_by: str) -> None:
    """Take a profile back. One that the station does not have any more is cleared too.

    Raises ChargingProfileNotFound if nobody knows it, CommandRefused if the station keeps it.
    """
    command = ClearChargingProfile(profile_id=profile_id)
    issued, answer = await ask_station(work, station_id, command, issued_by=issued_by)
    if answer is None or not _gone(answer):
        raise CommandRefused(issued.command_id, issued.outcome or "not known yet", issued.status)
    cleared = await record_cleared(work, command, answer)
    if not answer.accepted and not cleared:
        raise ChargingProfileNotFound(profile_id)


async def list_page(
    work: Work, station_id: str, *, states: Sequence[ProfileState], after: int | None, limit: int
) -> Sequence[SentProfile]:
    """The profiles that were sent to a station, in the order of their ids."""
    return await stored.list_page(work, station_id, states=states, after=after, limit=limit)


async def get(work: Work, station_id: str, profile_id: int) -> SentProfile:
    """One profile. Raises ChargingProfileNotFound."""
    profile = await stored.find(work, station_id, profile_id)
    if profile is None:
        raise ChargingProfileNotFound(profile_id)
    return profile


async def record_sent(work: Work, command: SetChargingProfile, answer: Answer) -> None:
    """Remember a profile that was sent, and which others it replaced."""
    if storable(command) and answer.outcome is not CommandOutcome.OFFLINE:
        await _store(work, sent(command, answer))


async def _store(work: Work, profile: SentProfile) -> None:
    await stored.store(work, profile)
    if profile.state is ProfileState.INSTALLED:
        await stored.replace_like(work, profile)


async def record_cleared(work: Work, command: ClearChargingProfile, answer: Answer) -> int:
    """Remember which profiles are gone; returns how many."""
    if not (_gone(answer) and clearable(command)):
        return 0
    return await stored.clear(work, answer.station_id, command, answer.command_id)


def _gone(answer: Answer) -> bool:
    return answer.accepted or answer.status == _NO_SUCH_PROFILE
