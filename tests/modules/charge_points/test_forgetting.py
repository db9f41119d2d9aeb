"""Commands are kept for so many days, and what has not ended for ever."""

import asyncio
from datetime import UTC, datetime, timedelta, tzinfo

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from modules.charge_points.service import watching
from shared_contracts.message import first_id_at
from tests.harness import running

_STATION = text(
    "INSERT INTO charge_points.stations (station_id, registration, security_profile, created_at, updated_at) "
    "VALUES ('CS1', 'accepted', 1, now(), now())"
)
_COMMAND = text(
    "INSERT INTO charge_points.commands "
    "(command_id, station_id, type, command, state, issued_by, created_at, deadline_at, completed_at) "
    "VALUES (:id, 'CS1', 'reset', '{}', :state, 'op', :at, now() + interval '1 day', :ended_at)"
)


async def _issued(
    engine: AsyncEngine, days_ago: float, state: str, *, ended_days_ago: float | None = None, number: int = 0
) -> str:
    now = datetime.now(UTC)
    at = now - timedelta(days=days_ago)
    ended_at = None if ended_days_ago is None else now - timedelta(days=ended_days_ago)
    command_id = f"{first_id_at(at)}{number:020x}"
    async with engine.begin() as connection:
        await connection.execute(_COMMAND, {"id": command_id, "state": state, "at": at, "ended_at": ended_at})
    return command_id


async def _kept(engine: AsyncEngine) -> set[str]:
    async with engine.connect() as connection:
        return set((await connection.execute(text("SELECT command_id FROM charge_points.commands"))).scalars())


@pytest.mark.parametrize("kept_days", [365, 0])
async def test_commands_that_ended_long_ago_are_deleted(
    database: str, kept_days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_AT_ONCE", 2)
    engine = create_async_engine(database)
    try:
        async with engine.begin() as connection:
            await connection.execute(_STATION)
        old = {await _issued(engine, 367, "accepted", ended_days_ago=366, number=number) for number in range(5)}
        new = {
            await _issued(engine, 364, "accepted", ended_days_ago=363),
            await _issued(engine, 367, "timed_out", ended_days_ago=364, number=8),
        }
        under_way = {await _issued(engine, 367, "sent", number=9)}

        async with running(database, "charge_points", charge_points={"commands_kept_days": kept_days}):
            expected = new | under_way | (set() if kept_days else old)
            async with asyncio.timeout(5):
                while await _kept(engine) != expected:
                    await asyncio.sleep(0.05)
            await asyncio.sleep(1.0)
            assert await _kept(engine) == expected
    finally:
        await engine.dispose()


async def test_a_clock_that_runs_ahead_deletes_nothing(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + timedelta(days=1000)

    engine = create_async_engine(database)
    try:
        async with engine.begin() as connection:
            await connection.execute(_STATION)
        kept = {await _issued(engine, 10, "accepted", ended_days_ago=10)}
        monkeypatch.setattr("modules.kernel.work.datetime", Ahead)
        async with running(database, "charge_points"):
            await asyncio.sleep(1.0)
            assert await _kept(engine) == kept
    finally:
        await engine.dispose()
