"""What operators do with stations: register, edit, remove, give them a password."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from modules.charge_points.domain.profiles import ProfileNotLowered
from modules.charge_points.domain.stations import Credentials, Station, hash_password
from modules.charge_points.errors import ProfileLowered, StationExists, StationNotFound
from modules.charge_points.repository import connections, stations
from modules.charge_points.repository.credentials import Access
from modules.charge_points.repository.stations import Filter
from modules.charge_points.service import proving
from modules.kernel.errors import PreconditionFailed
from modules.kernel.work import Work
from shared_contracts.charge_points import Registration, StationAccessChanged, StationRegistered, StationRemoved

_PASSWORD_BYTES = 20  # 40 hexadecimal digits: the longest that OCPP 1.6 and 2.0.1 both allow
_WITH_PASSWORD = {1, 2}
_ACCESS = {"registration", "security_profile", "certificate_common_name", "certificate_fingerprint", "time_zone"}


async def register(
    work: Work, station_id: str, values: Mapping[str, Any], *, password: str | None
) -> tuple[Station, str | None]:
    """Register a station; returns the password that was made for it, where its profile needs one and none is given."""
    made = _new_password() if password is None and values["security_profile"] in _WITH_PASSWORD else None
    if not await stations.add(work, {"station_id": station_id, **values, **_hashed(password or made)}):
        raise StationExists(station_id)
    work.publish(StationRegistered(station_id=station_id, registration=Registration(values["registration"])))
    work.publish(StationAccessChanged(station_id=station_id))
    return await get(work, station_id), made


async def get(work: Work, station_id: str) -> Station:
    """One station. Raises StationNotFound."""
    station = await stations.find(work, station_id)
    if station is None:
        raise StationNotFound(station_id)
    return station


async def list_page(work: Work, which: Filter, *, after: str | None, limit: int) -> Sequence[Station]:
    """Stations in the order of their identity."""
    return await stations.list_page(work, which, after=after, limit=limit)


async def list_connectors(work: Work, station_id: str) -> Sequence[tuple[int, int]]:
    """EVSE (0 where there is none) and connector of all that the station told of."""
    return await connections.list_connectors(work, station_id)


async def edit(work: Work, station_id: str, changes: Mapping[str, Any], *, revision: int | None) -> Station:
    """Change what is given. `revision` is the one that the caller has seen, None for any. Raises ProfileLowered."""
    if "security_profile" in changes:
        await _set_profile(work, station_id, changes["security_profile"])
    if not await stations.edit(work, station_id, changes, revision=revision):
        station = await get(work, station_id)
        raise PreconditionFailed(f"The current revision is {station.revision}.", revision=station.revision)
    if _ACCESS & changes.keys():
        work.publish(StationAccessChanged(station_id=station_id))
    return await get(work, station_id)


async def remove(work: Work, station_id: str) -> None:
    """Remove a station; it can no longer connect."""
    if not await stations.remove(work, station_id):
        raise StationNotFound(station_id)
    work.publish(StationRemoved(station_id=station_id, removed_at=work.now))
    work.publish(StationAccessChanged(station_id=station_id))


async def rotate_password(work: Work, station_id: str, *, password: str | None) -> str | None:
    """Replace the station's password; returns the one that was made where none is given. The station is not told."""
    new = password or _new_password()
    if not await proving.replace_password(work, station_id, _hash(new)):
        raise StationNotFound(station_id)
    await stations.edit(work, station_id, {}, revision=None)
    return None if password else new


async def _set_profile(work: Work, station_id: str, profile: int) -> None:
    ever_connected = (await get(work, station_id)).first_connected_at is not None

    def step(access: Access) -> Access:
        return proving.with_profiles(access, access.profiles.set_to(profile, ever_connected=ever_connected))

    try:
        await proving.change(work, station_id, step)
    except ProfileNotLowered as error:
        raise ProfileLowered(str(error)) from error


def _new_password() -> str:
    return secrets.token_hex(_PASSWORD_BYTES)


def _hash(password: str) -> Credentials:
    return hash_password(password, secrets.token_hex(16))


def _hashed(password: str | None) -> Mapping[str, str]:
    if password is None:
        return {}
    credentials = _hash(password)
    return {"password_salt": credentials.salt, "password_hash": credentials.password_hash}
