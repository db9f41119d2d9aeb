"""Stations: who they are, and how they prove it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, delete, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from modules.charge_points.domain.stations import BOOT_NOT_TOLD_AGAIN, ExpectedCertificate, Station
from modules.charge_points.tables import connections, stations
from modules.kernel.work import Work
from shared_contracts.charge_points import Registration

_CONNECTED = func.coalesce(and_(connections.c.epoch > connections.c.ended_epoch, ~connections.c.silent), False)
_OWN = (
    *("station_id", "friendly_name", "address", "latitude", "longitude", "registration", "security_profile"),
    *("self_registered", "vendor", "model", "serial_number", "firmware_version", "iccid", "imsi", "meter_type"),
    *("certificate_common_name", "certificate_fingerprint", "time_zone"),
    *("meter_serial_number", "boot_reason", "last_booted_at", "created_at", "updated_at", "revision"),
)
_STATIONS: Select[Any] = select(
    *(stations.c[name] for name in _OWN),
    stations.c.password_hash.is_not(None).label("has_password"),
    func.coalesce(connections.c.ocpp_version, stations.c.ocpp_version).label("ocpp_version"),
    _CONNECTED.label("connected"),
    connections.c.first_connected_at,
    connections.c.connected_at.label("last_connected_at"),
    case((_CONNECTED, connections.c.connected_at)).label("connected_since"),
    connections.c.last_seen_at,
    connections.c.disconnected_at,
    connections.c.remote_address,
).select_from(stations.outerjoin(connections, connections.c.station_id == stations.c.station_id))


@dataclass(frozen=True, slots=True)
class StoredAccess:
    """What holds of a station beside its passwords and profiles; `time_zone` is that of times it gives without one."""

    registration: Registration
    certificate: ExpectedCertificate
    time_zone: str | None


@dataclass(frozen=True, slots=True)
class StoredBoot:
    """What holds of a station that booted; `news`: it said something new of itself, or nothing for a while."""

    registration: Registration
    news: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """Which stations to list; None does not restrict."""

    online: bool | None = None
    registration: Registration | None = None
    vendor: str | None = None
    text: str | None = None


async def find(work: Work, station_id: str) -> Station | None:
    """One station."""
    row = (await work.execute(_STATIONS.where(stations.c.station_id == station_id))).one_or_none()
    return None if row is None else _station(row)


async def list_page(work: Work, which: Filter, *, after: str | None, limit: int) -> Sequence[Station]:
    """Stations in the order of their identity, those after `after`."""
    conditions = list(_conditions(which))
    if after is not None:
        conditions.append(stations.c.station_id > after)
    statement = _STATIONS.where(*conditions).order_by(stations.c.station_id).limit(limit)
    return [_station(row) for row in await work.execute(statement)]


async def add(work: Work, values: Mapping[str, Any]) -> bool:
    """Store a station; False if the identity is taken."""
    times = {"created_at": work.now, "updated_at": work.now}
    stored = await work.execute(upsert(stations).values({**values, **times}).on_conflict_do_nothing())
    return stored.rowcount == 1


async def add_pending(work: Work, station_id: str, *, at_most: int) -> bool:
    """Store a station that registered itself; False if it is known, or if `at_most` wait already."""
    waiting = select(func.count()).where(stations.c.self_registered, stations.c.registration == Registration.PENDING)
    values: dict[str, ColumnElement[Any]] = {
        "station_id": literal(station_id),
        "registration": literal(Registration.PENDING.value),
        "security_profile": literal(0),
        "self_registered": literal(True),
        "created_at": literal(work.now),
        "updated_at": literal(work.now),
    }
    row = select(*values.values()).where(waiting.scalar_subquery() < at_most)
    stored = await work.execute(upsert(stations).from_select(list(values), row).on_conflict_do_nothing())
    return stored.rowcount == 1


async def edit(work: Work, station_id: str, values: Mapping[str, Any], *, revision: int | None) -> bool:
    """Change columns and count the revision up; False if the station is not there, or at another revision."""
    statement = (
        update(stations)
        .where(stations.c.station_id == station_id)
        .values({**values, "updated_at": work.now, "revision": stations.c.revision + 1})
    )
    if revision is not None:
        statement = statement.where(stations.c.revision == revision)
    return (await work.execute(statement)).rowcount == 1


async def remove(work: Work, station_id: str) -> bool:
    """Remove a station with all that is stored of it here; False if it is not there."""
    return (await work.execute(delete(stations).where(stations.c.station_id == station_id))).rowcount == 1


async def find_access(work: Work, station_id: str) -> StoredAccess | None:
    """What the edge is to know of a station; None for one that nobody registered."""
    columns = ("registration", "certificate_common_name", "certificate_fingerprint", "time_zone")
    statement = select(*(stations.c[name] for name in columns)).where(stations.c.station_id == station_id)
    row = (await work.execute(statement)).one_or_none()
    if row is None:
        return None
    registration, common_name, fingerprint, time_zone = tuple(row)
    return StoredAccess(Registration(registration), ExpectedCertificate(common_name, fingerprint), time_zone)


async def store_boot(work: Work, station_id: str, said: Mapping[str, Any], booted_at: datetime) -> StoredBoot | None:
    """Store what a station says of itself; None if it is not registered. No new revision: nobody edited it."""
    before = (
        select(stations.c.station_id, or_(*_is_news(work, said)).label("news"))
        .where(stations.c.station_id == station_id)
        .with_for_update()
        .cte("before")
    )
    told_at = case((before.c.news, work.now), else_=stations.c.boot_told_at)
    statement = (
        update(stations)
        .where(stations.c.station_id == before.c.station_id)
        .values({**said, "last_booted_at": booted_at, "boot_told_at": told_at})
        .returning(stations.c.registration, before.c.news)
    )
    row = (await work.execute(statement)).one_or_none()
    return None if row is None else StoredBoot(Registration(row.registration), row.news)


def _is_news(work: Work, said: Mapping[str, Any]) -> Sequence[ColumnElement[bool]]:
    told_at = stations.c.boot_told_at
    return (
        told_at.is_(None),
        ~told_at.between(work.now - BOOT_NOT_TOLD_AGAIN, work.now + BOOT_NOT_TOLD_AGAIN),
        told_at < stations.c.updated_at,
        *(stations.c[name].is_distinct_from(value) for name, value in said.items()),
    )


def _conditions(which: Filter) -> Sequence[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if which.online is not None:
        conditions.append(_CONNECTED if which.online else ~_CONNECTED)
    if which.registration is not None:
        conditions.append(stations.c.registration == which.registration.value)
    if which.vendor is not None:
        conditions.append(func.lower(stations.c.vendor) == which.vendor.lower())
    if which.text:
        searched = ("station_id", "friendly_name", "address", "vendor", "model", "serial_number")
        conditions.append(or_(*(stations.c[name].icontains(which.text, autoescape=True) for name in searched)))
    return conditions


def _station(row: Row[Any]) -> Station:
    values = dict(row._mapping)  # noqa: SLF001 -- the public name of SQLAlchemy for a row as a mapping
    return Station(**{**values, "registration": Registration(values["registration"])})
