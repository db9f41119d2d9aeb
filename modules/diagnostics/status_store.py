"""The port to the status store, and its adapter PostgreSQL. The other adapter is in `azure_table`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

import orjson
from sqlalchemy import Text, delete, literal, select, text, tuple_

from modules.diagnostics import tables
from modules.diagnostics.domain import MOST_NUMBERED, MOST_STATUSES, Status
from modules.kernel.work import ModuleContext
from shared_contracts.stations import POD_SILENT

_STATUS = tables.statuses.c
_AT_ONCE = 1000


class StatusStore(Protocol):
    """Keeps the newest status of every item of every station. Any method may raise where the store is not there."""

    async def put(self, statuses: Sequence[Status]) -> None:
        """Store each where it is newer than what is kept. An item comes once in a call.

        Of the numbered items of a station, those are left out that would be more than `MOST_NUMBERED`.
        """
        ...

    async def remove(self, station_id: str, before: datetime) -> None:
        """Remove the items of a station that were observed until then."""
        ...

    async def of_station(self, station_id: str) -> list[Status]:
        """The items of a station, sorted; no more than `MOST_STATUSES`."""
        ...

    async def page(
        self, *, kind: str | None, state: str | None, after: tuple[str, str] | None, limit: int
    ) -> list[Status]:
        """Statuses of a kind (`connector`) and state, by station and item in a stable order, after such a pair."""
        ...

    async def close(self) -> None:
        """Give back what it holds."""
        ...


def kind_of(item: str) -> str:
    """The kind of an item: `connector` of `connector:1:1`."""
    return item.partition(":")[0]


class PostgresStatusStore:
    """Statuses in the module's own schema."""

    def __init__(self, context: ModuleContext) -> None:
        self._context = context

    async def put(self, statuses: Sequence[Status]) -> None:
        """One statement for a thousand, in the order of the key, so that two processes cannot block each other."""
        ordered = sorted(statuses, key=lambda status: (status.station_id, status.item))
        for begin in range(0, len(ordered), _AT_ONCE):
            async with self._context.work() as work:
                await work.execute(_UPSERT, _columns(ordered[begin : begin + _AT_ONCE]))

    async def remove(self, station_id: str, before: datetime) -> None:
        """One statement."""
        statement = delete(tables.statuses).where(_STATUS.station_id == station_id, _STATUS.observed_at <= before)
        async with self._context.work() as work:
            await work.execute(statement)

    async def of_station(self, station_id: str) -> list[Status]:
        """By the primary key."""
        statement = select(tables.statuses).where(_STATUS.station_id == station_id)
        statement = statement.order_by(_STATUS.item).limit(MOST_STATUSES)
        async with self._context.serve() as work:
            return [_status(row) for row in await work.execute(statement)]

    async def page(
        self, *, kind: str | None, state: str | None, after: tuple[str, str] | None, limit: int
    ) -> list[Status]:
        """By the primary key, or the index on the state."""
        statement = select(tables.statuses).order_by(_STATUS.station_id, _STATUS.item).limit(limit)
        if kind is not None:
            statement = statement.where((_STATUS.item == kind) | _STATUS.item.startswith(f"{kind}:"))
        if state is not None:
            statement = statement.where(_STATUS.state == state)
        if after is not None:
            place = tuple_(literal(after[0], Text()), literal(after[1], Text()))
            statement = statement.where(tuple_(_STATUS.station_id, _STATUS.item) > place)
        async with self._context.serve() as work:
            return [_status(row) for row in await work.execute(statement)]

    async def close(self) -> None:
        """The connections are the host's."""


_KEPT_VERSION = (
    f"kept.version - CASE WHEN kept.item = 'station' AND kept.body->>'reason' = '{POD_SILENT}' "
    "THEN kept.version % 2 ELSE 0 END"
)
"""The release before gave an end that was concluded from silence the version of a real one."""

_UPSERT = text(
    f"""
    WITH given AS (
        SELECT * FROM unnest(CAST(:station_ids AS text[]), CAST(:items AS text[]), CAST(:states AS text[]),
            CAST(:observed AS timestamptz[]), CAST(:versions AS bigint[]), CAST(CAST(:bodies AS text[]) AS json[]))
            AS given (station_id, item, state, observed_at, version, body)
    ), new AS (
        SELECT station_id, item, row_number() OVER (PARTITION BY station_id ORDER BY item COLLATE "C") AS number
        FROM given WHERE strpos(item, ':') > 0 AND NOT EXISTS (
            SELECT FROM diagnostics.statuses AS old WHERE (old.station_id, old.item) = (given.station_id, given.item))
    ), refused AS (
        SELECT station_id, item FROM new WHERE number + (
            SELECT count(*) FROM (
                SELECT FROM diagnostics.statuses AS old
                WHERE old.station_id = new.station_id AND strpos(old.item, ':') > 0 LIMIT {MOST_NUMBERED}
            ) AS numbered) > {MOST_NUMBERED}
    )
    INSERT INTO diagnostics.statuses AS kept (station_id, item, state, observed_at, version, body)
    SELECT * FROM given WHERE (station_id, item) NOT IN (SELECT station_id, item FROM refused)
    ORDER BY station_id COLLATE "C", item COLLATE "C"
    ON CONFLICT (station_id, item) DO UPDATE SET state = excluded.state, observed_at = excluded.observed_at,
        version = excluded.version, body = excluded.body
    WHERE ({_KEPT_VERSION}, kept.observed_at) < (excluded.version, excluded.observed_at)
    """
)
"""New items are counted, others are not: nearly all are old, and cost a look at the primary key."""


def _columns(statuses: Sequence[Status]) -> dict[str, list[Any]]:
    return {
        "station_ids": [status.station_id for status in statuses],
        "items": [status.item for status in statuses],
        "states": [status.state for status in statuses],
        "observed": [status.observed_at for status in statuses],
        "versions": [status.version for status in statuses],
        "bodies": [orjson.dumps(status.body).decode() for status in statuses],
    }


def _status(row: Sequence[Any]) -> Status:
    return Status(*row)
