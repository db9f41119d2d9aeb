"""Charging profiles."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from modules.configuration.domain.profiles import ProfileState, SentProfile
from modules.configuration.tables import charging_profiles as profiles
from modules.kernel.work import Work
from shared_contracts.commands import ClearChargingProfile

_ON_STATION = (ProfileState.INSTALLED, ProfileState.UNKNOWN)


async def store(work: Work, sent: SentProfile) -> None:
    """Store a profile, unless a later command did; a refused one does not hide that an earlier one is installed."""
    statement = insert(profiles).values(asdict(sent))
    old, new = profiles.c, statement.excluded
    counts = (
        new.command_id >= old.command_id,
        or_(new.state == ProfileState.INSTALLED, old.state != ProfileState.INSTALLED),
    )
    changed = {name: new[name] for name in asdict(sent) if name not in {"station_id", "profile_id"}}
    await work.execute(
        statement.on_conflict_do_update(
            index_elements=["station_id", "profile_id"], set_=changed, where=counts[0] & counts[1]
        )
    )


async def replace_like(work: Work, sent: SentProfile) -> None:
    """Mark the profiles that a new one took the place of: same EVSE, purpose and stack level (OCPP 2.0.1 K01.FR.05)."""
    await work.execute(
        update(profiles)
        .where(
            profiles.c.station_id == sent.station_id,
            profiles.c.profile_id != sent.profile_id,
            profiles.c.evse_id == sent.evse_id,
            profiles.c.purpose == sent.purpose,
            profiles.c.stack_level == sent.stack_level,
            profiles.c.command_id < sent.command_id,
            profiles.c.state.in_(_ON_STATION),
        )
        .values(state=ProfileState.REPLACED, updated_at=sent.updated_at)
    )


async def clear(work: Work, station_id: str, which: ClearChargingProfile, command_id: str) -> int:
    """Mark the profiles cleared that match all that is given and were sent before; returns how many did."""
    statement = update(profiles).where(
        profiles.c.station_id == station_id,
        profiles.c.command_id < command_id,
        profiles.c.state.in_(_ON_STATION),
    )
    criteria = {
        "profile_id": which.profile_id,
        "evse_id": which.evse_id,
        "purpose": which.purpose,
        "stack_level": which.stack_level,
    }
    for name, wanted in criteria.items():
        if wanted is not None:
            statement = statement.where(profiles.c[name] == wanted)
    return (await work.execute(statement.values(state=ProfileState.CLEARED, updated_at=work.now))).rowcount


async def list_page(
    work: Work, station_id: str, *, states: Sequence[ProfileState], after: int | None, limit: int
) -> Sequence[SentProfile]:
    """Profiles in the order of their ids."""
    statement = select(profiles).where(profiles.c.station_id == station_id)
    if states:
        statement = statement.where(profiles.c.state.in_(states))
    if after is not None:
        statement = statement.where(profiles.c.profile_id > after)
    return [_profile(row) for row in await work.execute(statement.order_by(profiles.c.profile_id).limit(limit))]


async def find(work: Work, station_id: str, profile_id: int) -> SentProfile | None:
    """One profile."""
    statement = select(profiles).where(profiles.c.station_id == station_id, profiles.c.profile_id == profile_id)
    row = (await work.execute(statement)).one_or_none()
    return None if row is None else _profile(row)


async def forget(work: Work, station_id: str, *, until: datetime) -> None:
    """Remove what was sent to a station, and answered, until then."""
    await work.execute(delete(profiles).where(profiles.c.station_id == station_id, profiles.c.updated_at <= until))


def _profile(row: Row[Any]) -> SentProfile:
    values = dict(row._mapping)  # noqa: SLF001 -- the public name of SQLAlchemy for a row as a mapping
    return SentProfile(**{**values, "state": ProfileState(values["state"])})
