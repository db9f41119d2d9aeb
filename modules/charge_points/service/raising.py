"""Moves stations from one security profile to another, and never to a lower one unawares."""

from dataclasses import dataclass

from modules.charge_points.domain.profiles import ProfileNotLowered, Profiles
from modules.charge_points.errors import ProfileCannotBeTold, ProfileLowered, StationNotFound
from modules.charge_points.repository.credentials import Access
from modules.charge_points.service import commanding, proving, registering
from modules.charge_points.service.commanding import Order
from modules.kernel.work import Work
from shared_contracts.commands import SetVariables, VariableChange

_KEY = "SecurityProfile"


@dataclass(frozen=True, slots=True)
class Move:
    """The profiles that are accepted from now on, and the command that tells the station, if it is to be told."""

    profiles: Profiles
    order: Order | None


async def move(
    work: Work, station_id: str, profile: int, *, allow_downgrade: bool, tell: bool, issued_by: str, timeout_s: float
) -> Move:
    """Accept this profile beside the present one until the station connects with it; its present one ends that.

    Raises StationNotFound, ProfileLowered, and ProfileCannotBeTold where OCPP has no such command.
    """
    order = await _tell(work, station_id, profile, issued_by, timeout_s) if tell else None

    def step(access: Access) -> Access:
        since = access.keyring.revision + 1
        profiles = access.profiles.moving_to(profile, since=since, allow_downgrade=allow_downgrade)
        return proving.with_profiles(access, profiles)

    try:
        access = await proving.change(work, station_id, step)
    except ProfileNotLowered as error:
        raise ProfileLowered(str(error)) from error
    if access is None:
        raise StationNotFound(station_id)
    return Move(access.profiles, order)


async def _tell(work: Work, station_id: str, profile: int, issued_by: str, timeout_s: float) -> Order:
    """OCPP 1.6 has a key for it; in 2.x a network profile is written and activated, which needs more than a number."""
    station = await registering.get(work, station_id)
    if station.ocpp_version is not None and not station.ocpp_version.startswith("1."):
        raise ProfileCannotBeTold(station.ocpp_version)
    change = VariableChange(name=_KEY, value=str(profile))
    return await commanding.issue(
        work,
        station_id=station_id,
        command=SetVariables(variables=(change,)),
        issued_by=issued_by,
        timeout_s=timeout_s,
    )
