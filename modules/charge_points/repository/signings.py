"""Requests of stations for certificates, and the certificates."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from modules.charge_points.domain.signings import OPEN, Signing, SigningState
from modules.charge_points.tables import certificate_signings
from modules.kernel.work import Work

_ROWS = select(certificate_signings)


async def find(work: Work, station_id: str, signing_id: str, *, for_change: bool = False) -> Signing | None:
    """One request of a station; `for_change` makes others who would change it wait."""
    ours = (certificate_signings.c.station_id == station_id, certificate_signings.c.signing_id == signing_id)
    return await _one(work, *ours, for_change=for_change)


async def find_open(work: Work, station_id: str) -> Signing | None:
    """The request that waits for its certificate, if there is one, locked."""
    ours = (certificate_signings.c.station_id == station_id, certificate_signings.c.state.in_(OPEN))
    return await _one(work, *ours, for_change=True)


async def find_by_command(work: Work, command_id: str) -> Signing | None:
    """The request that this command answers, locked."""
    return await _one(work, certificate_signings.c.command_id == command_id, for_change=True)


async def list_page(work: Work, station_id: str, *, before: str | None, limit: int) -> Sequence[Signing]:
    """The requests of a station, newest first."""
    conditions = [certificate_signings.c.station_id == station_id]
    if before is not None:
        conditions.append(certificate_signings.c.signing_id < before)
    newest_first = certificate_signings.c.signing_id.desc()
    return [_signing(row) for row in await work.execute(_ROWS.where(*conditions).order_by(newest_first).limit(limit))]


async def supersede(work: Work, station_id: str) -> None:
    """End the request that waits: the station has made another."""
    ours = (certificate_signings.c.station_id == station_id, certificate_signings.c.state.in_(OPEN))
    over = {"state": SigningState.SUPERSEDED.value, "ended_at": work.now}
    await work.execute(update(certificate_signings).where(*ours).values(over))


async def forget(work: Work, station_id: str, *, keep: int) -> None:
    """Delete all but the newest requests of a station."""
    ours = certificate_signings.c.station_id == station_id
    ids = certificate_signings.c.signing_id
    old = select(ids).where(ours).order_by(ids.desc()).offset(keep)
    await work.execute(delete(certificate_signings).where(ours, ids.in_(old)))


async def store(work: Work, signing: Signing) -> None:
    """Store a request as it is now."""
    values = {**asdict(signing), "state": signing.state.value}
    statement = insert(certificate_signings).values(values)
    await work.execute(statement.on_conflict_do_update(index_elements=["signing_id"], set_=values))


async def _one(work: Work, *conditions: ColumnElement[bool], for_change: bool) -> Signing | None:
    statement = _ROWS.where(*conditions).order_by(certificate_signings.c.signing_id.desc()).limit(1)
    if for_change:
        statement = statement.with_for_update()
    row = (await work.execute(statement)).one_or_none()
    return None if row is None else _signing(row)


def _signing(row: Row[Any]) -> Signing:
    values = dict(row._mapping)  # noqa: SLF001 -- the public name of SQLAlchemy for a row as a mapping
    return Signing(**{**values, "state": SigningState(values["state"])})
