"""Bodies and views of credentials that change. No view shows a password."""

from datetime import datetime
from typing import Self

from pydantic import Field

from modules.charge_points.domain.profiles import Profiles
from modules.charge_points.domain.rotations import Rotation, RotationState
from modules.charge_points.schemas.commands import CommandView
from modules.charge_points.schemas.stations import SecurityProfile
from modules.kernel.http import Body, View


class RotationView(View):
    """A new password on its way to a station; `command_id` is the command that takes it there.

    `unconfirmed` is one that the station may or may not have: both passwords are valid until its next login tells.
    """

    rotation_id: str
    station_id: str
    state: RotationState
    command_id: str
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, rotation: Rotation) -> Self:
        """Show a rotation."""
        return cls.model_validate(rotation, from_attributes=True)


class ProfileMove(Body):
    """The security profile that a station is to move to."""

    security_profile: SecurityProfile
    tell_station: bool = Field(
        default=True, description="Send the change to the station. Only OCPP 1.6 has a command for it."
    )
    allow_downgrade: bool = Field(
        default=False, description="Let an administrator move a station from profile 3 to 2: the only way down."
    )


class ProfileMoveView(View):
    """The profile of a station, and the one that is accepted beside it until the station connects with it."""

    station_id: str
    security_profile: int
    pending_security_profile: int | None
    command: CommandView | None = Field(description="What the station was told, if it was.")

    @classmethod
    def of(cls, station_id: str, profiles: Profiles, command: CommandView | None) -> Self:
        """Show where a station is on its way."""
        return cls(
            station_id=station_id,
            security_profile=profiles.configured,
            pending_security_profile=profiles.pending,
            command=command,
        )
