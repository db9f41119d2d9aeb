"""Queries on the meter values. They are stored as they come, and told apart when read."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text, tuple_

from modules.kernel.work import Work
from modules.transactions.domain.transaction import Transaction
from modules.transactions.tables import meter_values

COLUMNS = (
    "station_id",
    "ref",
    "evse_id",
    "connector_id",
    "sampled_at",
    "stored_at",
    "energy_wh",
    "power_w",
    "state_of_charge_percent",
    "samples",
    "flags",
)

Record = tuple[Any, ...]
"""The values of `COLUMNS`."""

_CLOCKS_DIFFER = timedelta(days=1)
"""By how much the clocks of pod and database may disagree; only partitions from then on are searched."""

_value = meter_values.c


async def store(work: Work, records: Sequence[Record]) -> None:
    """Store readings with COPY."""
    if records:
        await work.copy(meter_values, COLUMNS, records)


@dataclass(frozen=True, slots=True)
class Latest:
    """What the meter of an open transaction shows: each quantity as it was reported last."""

    energy_wh: int | None = None
    power_w: int | None = None
    state_of_charge_percent: float | None = None
    sampled_at: datetime | None = None


_LATEST = text(
    """
    SELECT k.station_id, k.ref, last.sampled_at, last.power_w, last.state_of_charge_percent, energy.energy_wh
    FROM unnest(CAST(:stations AS text[]), CAST(:refs AS text[])) AS k (station_id, ref)
    CROSS JOIN LATERAL (
        SELECT sampled_at, power_w, state_of_charge_percent FROM transactions.meter_values
        WHERE station_id = k.station_id AND ref = k.ref AND stored_at >= :since
        ORDER BY sampled_at DESC LIMIT 1
    ) AS last
    LEFT JOIN LATERAL (
        SELECT energy_wh FROM transactions.meter_values
        WHERE station_id = k.station_id AND ref = k.ref AND stored_at >= :since AND energy_wh IS NOT NULL
        ORDER BY sampled_at DESC LIMIT 1
    ) AS energy ON true
    """
)


async def latest(work: Work, wanted: Collection[Transaction]) -> dict[tuple[str, str], Latest]:
    """The newest readings of these transactions, by station and ref; those without any are missing."""
    if not wanted:
        return {}
    parameters = {
        "stations": [transaction.station_id for transaction in wanted],
        "refs": [transaction.ref for transaction in wanted],
        "since": min(transaction.received_at for transaction in wanted) - _CLOCKS_DIFFER,
    }
    return {
        (row.station_id, row.ref): Latest(row.energy_wh, row.power_w, row.state_of_charge_percent, row.sampled_at)
        for row in await work.execute(_LATEST, parameters)
    }


@dataclass(frozen=True, slots=True)
class Sample:
    """A reading as stored. `digest` tells readings of one moment apart."""

    sampled_at: datetime
    digest: str
    evse_id: int | None
    connector_id: int | None
    energy_wh: int | None
    power_w: int | None
    state_of_charge_percent: float | None
    samples: str


async def browse(
    work: Work, transaction: Transaction, *, after: tuple[datetime, str] | None, limit: int
) -> list[Sample]:
    """Readings of a transaction in the order of their times, one where a station repeated itself."""
    digest = func.md5(_value.samples)
    statement = (
        select(
            _value.sampled_at,
            digest.label("digest"),
            _value.evse_id,
            _value.connector_id,
            _value.energy_wh,
            _value.power_w,
            _value.state_of_charge_percent,
            _value.samples,
        )
        .distinct()
        .where(
            _value.station_id == transaction.station_id,
            _value.ref == transaction.ref,
            _value.stored_at >= transaction.received_at - _CLOCKS_DIFFER,
        )
        .order_by(_value.sampled_at, digest)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(_value.sampled_at >= after[0], tuple_(_value.sampled_at, digest) > after)
    return [Sample(**row) for row in (await work.execute(statement)).mappings()]
