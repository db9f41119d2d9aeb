"""Connections, pods and connectors, stored a batch at a time."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Integer,
    Row,
    SmallInteger,
    Text,
    and_,
    case,
    delete,
    exists,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from modules.charge_points.domain.connections import MOST_CONNECTORS
from modules.charge_points.tables import connections, connectors, pods, stations
from modules.kernel.arrays import as_arrays, given_rows
from modules.kernel.work import Work
from shared_contracts.stations import StationConnected, StationDisconnected

_TIME = DateTime(timezone=True)
_OPENED = given_rows(
    station_id=Text(),
    epoch=BigInteger(),
    pod_id=Text(),
    ocpp_version=Text(),
    security_profile=SmallInteger(),
    remote_address=Text(),
    connected_at=_TIME,
)
_ENDED = given_rows(station_id=Text(), epoch=BigInteger(), disconnected_at=_TIME)
_SEEN = given_rows(station_id=Text(), pod_id=Text(), seen_at=_TIME)
_CONNECTORS = given_rows(station_id=Text(), evse_id=Integer(), connector_id=Integer())
_DETAILS = ("epoch", "pod_id", "ocpp_version", "security_profile", "remote_address", "connected_at")
_OPEN = connections.c.epoch > connections.c.ended_epoch
_LIVE = and_(_OPEN, ~connections.c.silent)

MOMENT = timedelta(milliseconds=1)
"""By so much what is told of a connection is later than what was told before, where clocks say otherwise."""


@dataclass(frozen=True, slots=True)
class Connection:
    """The newest connection of a station; `lost_at` is when its pod was last called silent."""

    station_id: str
    epoch: int
    pod_id: str
    ocpp_version: str
    security_profile: int
    remote_address: str | None
    connected_at: datetime
    lost_at: datetime


async def store_opened(work: Work, opened: Collection[StationConnected]) -> None:
    """Store connections of registered stations; an epoch that is not newer changes nothing but the first time."""
    names = ("station_id", *_DETAILS)
    rows = [{name: getattr(event, name) for name in names} for event in opened]
    given = _OPENED.c
    known = select(*(given[name] for name in names), literal(-1), given.connected_at, given.connected_at).join_from(
        _OPENED, stations, stations.c.station_id == given.station_id
    )
    statement = insert(connections).from_select([*names, "ended_epoch", "first_connected_at", "last_seen_at"], known)
    new, old = statement.excluded, connections.c
    newer = new.epoch > old.epoch
    changes: dict[str, ColumnElement[Any]] = {name: case((newer, new[name]), else_=old[name]) for name in _DETAILS}
    changes["silent"] = case((newer, False), else_=old.silent)
    changes["first_connected_at"] = func.least(old.first_connected_at, new.first_connected_at)
    changes["last_seen_at"] = func.greatest(old.last_seen_at, new.last_seen_at)
    await work.execute(
        statement.on_conflict_do_update(index_elements=["station_id"], set_=changes), as_arrays(rows, names)
    )


async def last_epoch(work: Work, station_id: str) -> int:
    """The highest epoch that a connection of the station ever had; 0 for none."""
    highest = func.greatest(connections.c.epoch, connections.c.ended_epoch)
    found = await work.execute(select(highest).where(connections.c.station_id == station_id))
    return int(found.scalar_one_or_none() or 0)


async def store_ended(work: Work, ended: Collection[StationDisconnected]) -> None:
    """Store which epochs have ended. One that never was opened here is remembered, lest it open afterwards."""
    names = ("station_id", "epoch", "disconnected_at")
    rows = [{name: getattr(event, name) for name in names} for event in ended]
    given = _ENDED.c
    known = select(given.station_id, literal(-1), given.epoch, given.disconnected_at).join_from(
        _ENDED, stations, stations.c.station_id == given.station_id
    )
    statement = insert(connections).from_select(["station_id", "epoch", "ended_epoch", "disconnected_at"], known)
    new, old = statement.excluded, connections.c
    ends_newest = and_(new.ended_epoch > old.ended_epoch, new.ended_epoch >= old.epoch)
    changes = {
        "ended_epoch": func.greatest(old.ended_epoch, new.ended_epoch),
        "disconnected_at": case((ends_newest, new.disconnected_at), else_=old.disconnected_at),
    }
    await work.execute(
        statement.on_conflict_do_update(index_elements=["station_id"], set_=changes), as_arrays(rows, names)
    )


async def store_sightings(work: Work, seen: Sequence[Mapping[str, Any]]) -> Sequence[Connection]:
    """Store when stations were heard from; returns the connections that had counted as lost with their pod.

    A pod tells of stations of all shards: a row that another shard's batch has changed is left to the next sighting,
    for to wait for it would be to wait for each other.
    """
    parameters = as_arrays(seen, ("station_id", "pod_id", "seen_at"))
    given = _SEEN.c
    same = connections.c.station_id == given.station_id
    free = (
        select(connections.c.station_id, given.seen_at)
        .join_from(connections, _SEEN, same)
        .with_for_update(of=connections, skip_locked=True)
        .cte("free")
    )
    latest = func.greatest(connections.c.last_seen_at, free.c.seen_at)
    await work.execute(
        update(connections).values(last_seen_at=latest).where(connections.c.station_id == free.c.station_id), parameters
    )
    revived = await work.execute(
        update(connections)
        .values(silent=False)
        .where(same, _OPEN, connections.c.silent, connections.c.pod_id == given.pod_id)
        .returning(*_columns()),
        parameters,
    )
    return [_connection(row) for row in revived]


async def store_signs_of_life(work: Work, pod_ids: Collection[str]) -> None:
    """These pods were heard from just now. Who finds another batch at a pod leaves it to that: it says the same."""
    ids = sorted(pod_ids)
    free = select(pods.c.pod_id).where(pods.c.pod_id.in_(ids)).with_for_update(skip_locked=True).cte("free")
    latest = func.greatest(pods.c.heard_at, literal(work.now))
    await work.execute(update(pods).values(heard_at=latest).where(pods.c.pod_id == free.c.pod_id))
    new = insert(pods).values([{"pod_id": pod_id, "heard_at": work.now} for pod_id in ids])
    await work.execute(new.on_conflict_do_nothing())


async def silence_pods(work: Work, *, unheard_since: datetime) -> Sequence[Connection]:
    """Count the connections of pods as lost that were not heard from since then; returns those connections.

    Each is lost after it was opened, and after it was last heard again, though the clock of its pod runs ahead.
    """
    old = connections.c
    lost_at = func.greatest(literal(work.now), old.connected_at + MOMENT, old.disconnected_at + 2 * MOMENT)
    dead = select(pods.c.pod_id).where(pods.c.heard_at < unheard_since).order_by(pods.c.pod_id)
    await work.execute(dead.with_for_update())  # pods, then connections: as whoever stores a sign of life
    heard = exists().where(pods.c.pod_id == connections.c.pod_id, pods.c.heard_at >= unheard_since)
    lost = await work.execute(
        update(connections).values(silent=True, disconnected_at=lost_at).where(_LIVE, ~heard).returning(*_columns())
    )
    await work.execute(delete(pods).where(pods.c.heard_at < unheard_since))
    return [_connection(row) for row in lost]


async def add_connectors(work: Work, found: Collection[tuple[str, int, int]]) -> None:
    """Remember connectors of registered stations, no more of each station than there can be."""
    names = ("station_id", "evse_id", "connector_id")
    given = _CONNECTORS.c
    already = (
        select(func.count())
        .select_from(connectors)
        .where(connectors.c.station_id == given.station_id)
        .scalar_subquery()
    )
    rank = func.row_number().over(partition_by=given.station_id, order_by=(given.evse_id, given.connector_id))
    known = (
        select(*(given[name] for name in names), (already + rank).label("count"))
        .join_from(_CONNECTORS, stations, stations.c.station_id == given.station_id)
        .where(
            ~exists().where(
                connectors.c.station_id == given.station_id,
                connectors.c.evse_id == given.evse_id,
                connectors.c.connector_id == given.connector_id,
            )
        )
        .subquery("known")
    )
    few = select(*(known.c[name] for name in names)).where(known.c.count <= MOST_CONNECTORS)
    rows = [dict(zip(names, row, strict=True)) for row in sorted(found)]
    await work.execute(
        insert(connectors).from_select(list(names), few).on_conflict_do_nothing(), as_arrays(rows, names)
    )


async def list_connectors(work: Work, station_id: str) -> Sequence[tuple[int, int]]:
    """EVSE (0 where there is none) and connector, in their order."""
    columns = (connectors.c.evse_id, connectors.c.connector_id)
    rows = await work.execute(select(*columns).where(connectors.c.station_id == station_id).order_by(*columns))
    return [(row.evse_id, row.connector_id) for row in rows]


def _connection(row: Row[Any]) -> Connection:
    return Connection(**row._mapping)  # noqa: SLF001 -- the public name of SQLAlchemy for a row as a mapping


def _columns() -> Sequence[ColumnElement[Any]]:
    names = ("station_id", "epoch", "pod_id", "ocpp_version", "security_profile", "remote_address", "connected_at")
    return [*(connections.c[name] for name in names), connections.c.disconnected_at.label("lost_at")]
