"""Meter readings, half of all messages: stored in one COPY a batch, without looking anything up."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from modules.kernel.work import Work
from modules.transactions import sampled
from modules.transactions.repository import samples
from modules.transactions.repository.samples import Record
from shared_contracts.stations import MeterReading, SampledValue

_serializer = TypeAdapter(tuple[SampledValue, ...]).serializer


def _to_json(values: tuple[SampledValue, ...]) -> str:
    return _serializer.to_json(values, exclude_defaults=True).decode()


async def store(work: Work, messages: Sequence[sampled.Sampled]) -> None:
    """Store the readings of a batch of messages."""
    now = work.now
    await samples.store(
        work,
        [
            record
            for message in messages
            for record in records(
                message.station_id,
                message.transaction_ref,
                message.evse_id,
                message.connector_id,
                message.readings,
                message.flags,
                now,
                to_json=sampled.to_json,
            )
        ],
    )


def records(
    station_id: str,
    ref: str | None,
    evse_id: int | None,
    connector_id: int | None,
    readings: Iterable[MeterReading] | Iterable[sampled.Reading],
    flags: tuple[str, ...],
    stored_at: datetime,
    *,
    to_json: Callable[[Any], str] = _to_json,
) -> list[Record]:
    """The rows of some readings of one message. Samples stay as the station sent them, as JSON."""
    return [
        (
            station_id,
            ref,
            evse_id,
            connector_id,
            reading.sampled_at,
            stored_at,
            reading.energy_wh,
            reading.power_w,
            reading.state_of_charge_percent,
            to_json(reading.values),
            (*flags, *reading.flags) or None,
        )
        for reading in readings
    ]
