"""Bodies and views of charging profiles."""

import secrets
from datetime import datetime
from typing import Self

from pydantic import ConfigDict, Field

from modules.configuration.domain.profiles import ProfileState, SentProfile
from modules.kernel.http import Body, Paging, View
from shared_contracts.commands import ChargingProfile, SetChargingProfile
from shared_contracts.message import JsonObject

_HIGHEST = 2**31 - 1


def _new_id() -> int:
    return secrets.randbelow(_HIGHEST) + 1


class ProfileFilter(Paging):
    """Which charging profiles to list."""

    state: list[ProfileState] = []


class NewProfile(ChargingProfile):
    """A charging profile; without an `id` it gets one."""

    model_config = ConfigDict(extra="forbid")

    id: int = Field(default_factory=_new_id, ge=1, le=_HIGHEST)
    stack_level: int = Field(default=0, ge=0, le=_HIGHEST)


class NewChargingProfile(Body):
    """A charging profile for an EVSE; 0 is the whole station."""

    evse_id: int = Field(default=0, ge=0, le=_HIGHEST)
    profile: NewProfile

    def command(self) -> SetChargingProfile:
        """What the station is told."""
        return SetChargingProfile(evse_id=self.evse_id, profile=ChargingProfile(**dict(self.profile)))


class ChargingProfileView(View):
    """A charging profile as it was last sent, and whether the station has it."""

    profile_id: int
    evse_id: int
    purpose: str
    stack_level: int
    profile: JsonObject
    state: ProfileState
    status: str | None = Field(description="OCPP's word.")
    command_id: str
    sent_by: str
    updated_at: datetime

    @classmethod
    def of(cls, profile: SentProfile) -> Self:
        """Show a profile."""
        return cls.model_validate(profile, from_attributes=True)
