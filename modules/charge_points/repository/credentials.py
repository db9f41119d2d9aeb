"""Passwords and security profiles of stations, while they change and afterwards."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Text, any_, bindparam, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from modules.charge_points.domain.profiles import Profiles
from modules.charge_points.domain.rotations import OPEN, Keyring, Rotation, RotationState
from modules.charge_points.domain.stations import Credentials
from modules.charge_points.tables import credential_rotations, stations
from modules.kernel.work import Work

_OPEN = credential_rotations.c.state.in_(OPEN)
_STATION = select(
    *(stations.c[name] for name in ("access_revision", "password_salt", "password_hash", "security_profile")),
    *(stations.c[name] for name in ("pending_profile", "pending_profile_revision")),
)
_AMONG = any_(bindparam("given", type_=ARRAY(Text)))
_IN_CHANGE = select(stations.c.station_id).where(
    stations.c.station_id == _AMONG,
    or_(
        stations.c.pending_profile.is_not(None),
        stations.c.station_id.in_(
            select(credential_rotations.c.station_id).where(credential_rotations.c.station_id == _AMONG, _OPEN)
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Access:
    """How a station may prove who it is."""

    keyring: Keyring
    profiles: Profiles


async def find(work: Work, station_id: str, *, for_change: bool = False) -> Access | None:
    """What holds for a station; None for an unknown one. `for_change` makes others who would change it wait."""
    statement = _STATION.where(stations.c.station_id == station_id)
    if for_change:
        statement = statement.with_for_update(key_share=True)
    row = (await work.execute(statement)).one_or_none()
    if row is None:
        return None
    revision, salt, password_hash, configured, pending, since = tuple(row)
    current = None if salt is None or password_hash is None else Credentials(salt, password_hash)
    rotations = await _open_rotations(work, station_id) if revision else ()
    return Access(Keyring(revision, current, tuple(rotations)), Profiles(configured, pending, since or 0))


async def stations_in_change(work: Work, station_ids: Collection[str]) -> frozenset[str]:
    """Those of the stations whose password or profile is being changed."""
    found = await work.execute(_IN_CHANGE, {"given": sorted(station_ids)})
    return frozenset(found.scalars())


async def store(work: Work, station_id: str, before: Access, after: Access) -> None:
    """Store what changed."""
    keyring, profiles = after.keyring, after.profiles
    await work.execute(
        update(stations)
        .where(stations.c.station_id == station_id)
        .values(
            access_revision=keyring.revision,
            password_salt=keyring.current.salt if keyring.current else None,
            password_hash=keyring.current.password_hash if keyring.current else None,
            security_profile=profiles.configured,
            pending_profile=profiles.pending,
            pending_profile_revision=profiles.since,
        )
    )
    for rotation in keyring.rotations:
        if rotation not in before.keyring.rotations:
            await _store_rotation(work, rotation)


async def find_rotation(work: Work, station_id: str, rotation_id: str) -> Rotation | None:
    """One rotation of a station."""
    ours = (credential_rotations.c.station_id == station_id, credential_rotations.c.rotation_id == rotation_id)
    row = (await work.execute(select(credential_rotations).where(*ours))).one_or_none()
    return None if row is None else _rotation(row)


async def list_rotations(work: Work, station_id: str, *, before: str | None, limit: int) -> Sequence[Rotation]:
    """The rotations of a station, newest first: ids sort by time."""
    conditions = [credential_rotations.c.station_id == station_id]
    if before is not None:
        conditions.append(credential_rotations.c.rotation_id < before)
    newest_first = credential_rotations.c.rotation_id.desc()
    statement = select(credential_rotations).where(*conditions).order_by(newest_first).limit(limit)
    return [_rotation(row) for row in await work.execute(statement)]


async def _open_rotations(work: Work, station_id: str) -> Sequence[Rotation]:
    statement = (
        select(credential_rotations)
        .where(credential_rotations.c.station_id == station_id, _OPEN)
        .order_by(credential_rotations.c.rotation_id)
    )
    return [_rotation(row) for row in await work.execute(statement)]


async def _store_rotation(work: Work, rotation: Rotation) -> None:
    values = {
        "rotation_id": rotation.rotation_id,
        "station_id": rotation.station_id,
        "state": rotation.state.value,
        "command_id": rotation.command_id,
        "salt": rotation.salt,
        "password_hash": rotation.credentials.password_hash if rotation.credentials else None,
        "unconfirmed_revision": rotation.unconfirmed_revision,
        "created_at": rotation.created_at,
        "ended_at": rotation.ended_at,
    }
    statement = insert(credential_rotations).values(values)
    await work.execute(statement.on_conflict_do_update(index_elements=["rotation_id"], set_=values))


def _rotation(row: Row[Any]) -> Rotation:
    values = dict(row._mapping)  # noqa: SLF001 -- the public name of SQLAlchemy for a row as a mapping
    password_hash = values.pop("password_hash")
    credentials = None if password_hash is None else Credentials(values["salt"], password_hash)
    return Rotation(**{**values, "state": RotationState(values["state"]), "credentials": credentials})
