"""Meter readings, half of all messages: stored in one COPY a batch, without looking anything up."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from pydantic import TypeAdapter

from modules.kernel.work import Work
from modules.transactions.repository import samples
from modules.transactions.repository.samples import Record
from shared_contracts.stations import MeterReading, MetersSampled, SampledValue

_to_json = TypeAdapter(tuple[SampledValue, ...]).serializer.to_json


async def store(work: Work, sampled: Sequence[MetersSampled]) -> None:
    """Store the readings of a batch of messages."""
    now = work.now
    await samples.store(
        work,
        [
            record
            for message in sampled
            for record in records(
                message.station_id,
                message.transaction_ref,
                message.evse_id,
                message.connector_id,
                message.readings,
                message.flags,
                now,
            )
        ],
    )


def records(
    station_id: str,
    ref: str | None,
    evse_id: int | None,
    connector_id: int | None,
    readings: Iterable[MeterReading],
    flags: tuple[str, ...],
    stored_at: datetime,
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
            _to_json(reading.values, exclude_defaults=True).decode(),
            (*flags, *reading.flags) or None,
        )
        for reading in readings
    ]
