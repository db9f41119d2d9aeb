"""Firmware updates."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from modules.configuration.domain.firmware import FirmwareUpdate, UpdateState
from modules.configuration.tables import firmware_updates as updates
from modules.kernel.work import Work


async def add(work: Work, firmware_update: FirmwareUpdate) -> None:
    """Store a new update."""
    await work.execute(insert(updates).values(asdict(firmware_update)))


async def store(work: Work, firmware_update: FirmwareUpdate) -> None:
    """Store how an update goes."""
    changed = ("state", "status", "command_id", "updated_at")
    await work.execute(
        update(updates)
        .where(updates.c.update_id == firmware_update.update_id)
        .values({name: getattr(firmware_update, name) for name in changed})
    )


async def take(work: Work, station_id: str, request_id: int | None) -> FirmwareUpdate | None:
    """Lock and return the update with this number, or without a number (plain OCPP 1.6) the station's newest."""
    statement = select(updates).where(updates.c.station_id == station_id)
    if request_id is not None:
        statement = statement.where(updates.c.request_id == request_id)
    newest = statement.order_by(updates.c.update_id.desc()).limit(1).with_for_update()
    row = (await work.execute(newest)).one_or_none()
    return None if row is None else _update(row)


async def find(work: Work, station_id: str, update_id: str) -> FirmwareUpdate | None:
    """One update of a station."""
    statement = select(updates).where(updates.c.station_id == station_id, updates.c.update_id == update_id)
    row = (await work.execute(statement)).one_or_none()
    return None if row is None else _update(row)


async def list_page(work: Work, station_id: str, *, before: str | None, limit: int) -> Sequence[FirmwareUpdate]:
    """Updates, the newest first: ids sort by time."""
    statement = select(updates).where(updates.c.station_id == station_id)
    if before is not None:
        statement = statement.where(updates.c.update_id < before)
    return [_update(row) for row in await work.execute(statement.order_by(updates.c.update_id.desc()).limit(limit))]


async def remove(work: Work, update_id: str) -> None:
    """Remove an update that was never asked of any station."""
    await work.execute(delete(updates).where(updates.c.update_id == update_id))


async def forget(work: Work, station_id: str, *, until: datetime) -> None:
    """Remove the updates of a station that were requested until then."""
    await work.execute(delete(updates).where(updates.c.station_id == station_id, updates.c.requested_at <= until))


def _update(row: Row[Any]) -> FirmwareUpdate:
    values = dict(row._mapping)  # noqa: SLF001 -- the public name of SQLAlchemy for a row as a mapping
    return FirmwareUpdate(**{**values, "state": UpdateState(values["state"])})
