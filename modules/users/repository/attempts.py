"""Failed attempts to sign in, and the addresses from which people did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Integer, Text, case, delete, func, literal, select, update
from sqlalchemy.dialects import postgresql

from modules.kernel.arrays import as_arrays, given_rows
from modules.kernel.work import Work
from modules.users.tables import known_sources, sign_in_failures

_failures = sign_in_failures.c
_KNOWN_FOR = timedelta(days=90)
_given = given_rows(place=Text())


@dataclass(frozen=True, slots=True)
class Failures:
    """How many attempts failed at a place since the first of its window."""

    place: str
    count: int
    first_at: datetime


async def count(work: Work, places: Sequence[str], *, window: timedelta) -> list[Failures]:
    """Count one more at each place, beginning anew where the window is over. Sorted places, lest two works deadlock."""
    started = select(_given.c.place, literal(1, Integer()), literal(work.now)).order_by(_given.c.place)
    statement = postgresql.insert(sign_in_failures).from_select(["place", "count", "first_at"], started)
    is_over = _failures.first_at <= work.now - window
    statement = statement.on_conflict_do_update(
        index_elements=["place"],
        set_={
            "count": case((is_over, 1), else_=func.least(_failures.count + 1, 1_000_000)),
            "first_at": case((is_over, work.now), else_=_failures.first_at),
        },
    )
    counted = statement.returning(sign_in_failures)
    rows = await work.execute(counted, as_arrays([{"place": place} for place in places], ["place"]))
    return [Failures(**row) for row in rows.mappings()]


async def counted(work: Work, places: Sequence[str], *, window: timedelta) -> list[Failures]:
    """What is counted at these places already."""
    is_fresh = _failures.first_at > work.now - window
    statement = select(sign_in_failures).where(_failures.place.in_(places), is_fresh)
    return [Failures(**row) for row in (await work.execute(statement)).mappings()]


async def forget(work: Work, place: str) -> None:
    """Count from nothing at this place."""
    await work.execute(delete(sign_in_failures).where(_failures.place == place))


async def take_back(work: Work, places: Sequence[str]) -> None:
    """Count one less at each place. Sorted places, as `count` takes them."""
    for place in places:
        less = update(sign_in_failures).where(_failures.place == place).values(count=_failures.count - 1)
        await work.execute(less.where(_failures.count > 0))


async def is_known(work: Work, place: str) -> bool:
    """Whether somebody signed in to this account from this address within the last 90 days."""
    fresh = known_sources.c.last_at > work.now - _KNOWN_FOR
    statement = select(known_sources.c.place).where(known_sources.c.place == place, fresh)
    return (await work.execute(statement)).first() is not None


async def know(work: Work, place: str) -> None:
    """Somebody signed in to this account from this address now."""
    statement = postgresql.insert(known_sources).values(place=place, last_at=work.now)
    await work.execute(statement.on_conflict_do_update(index_elements=["place"], set_={"last_at": work.now}))


async def forget_old(work: Work, *, window: timedelta) -> None:
    """Delete what no longer counts."""
    await work.execute(delete(sign_in_failures).where(_failures.first_at <= work.now - window))
    await work.execute(delete(known_sources).where(known_sources.c.last_at <= work.now - _KNOWN_FOR))
