"""Charging profiles that stations were given."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from modules.configuration.domain.answers import NUMBERS, Answer
from shared_contracts.commands import ClearChargingProfile, CommandOutcome, SetChargingProfile
from shared_contracts.message import JsonObject


class ProfileState(StrEnum):
    """`unknown`: nobody can tell whether the station has it, e.g. since no answer came."""

    INSTALLED = "installed"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    REPLACED = "replaced"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class SentProfile:
    """A charging profile as it was last sent, and whether the station has it."""

    station_id: str
    profile_id: int
    evse_id: int
    purpose: str
    stack_level: int
    profile: JsonObject
    state: ProfileState
    status: str | None
    command_id: str
    sent_by: str
    updated_at: datetime


def storable(command: SetChargingProfile) -> bool:
    """Whether its numbers are such as OCPP has."""
    return all(number in NUMBERS for number in (command.profile.id, command.profile.stack_level, command.evse_id))


def clearable(command: ClearChargingProfile) -> bool:
    """The same of what is to be cleared."""
    wanted = (command.profile_id, command.evse_id, command.stack_level)
    return all(number in NUMBERS for number in wanted if number is not None)


def sent(command: SetChargingProfile, answer: Answer) -> SentProfile:
    """What is to be remembered of a profile that was sent."""
    profile = command.profile
    return SentProfile(
        station_id=answer.station_id,
        profile_id=profile.id,
        evse_id=command.evse_id,
        purpose=profile.purpose,
        stack_level=profile.stack_level,
        profile=profile.model_dump(mode="json", exclude_none=True),
        state=_state(answer.outcome),
        status=answer.status,
        command_id=answer.command_id,
        sent_by=answer.issued_by,
        updated_at=answer.at,
    )


def _state(outcome: CommandOutcome) -> ProfileState:
    match outcome:
        case CommandOutcome.ACCEPTED:
            return ProfileState.INSTALLED
        case CommandOutcome.TIMED_OUT:
            return ProfileState.UNKNOWN
        case _:
            return ProfileState.REJECTED
