"""Weeks of events come and go, and nobody who writes has to wait for it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from sqlalchemy import make_url

from management_service.hosted import Hosted
from modules.diagnostics import tables
from modules.kernel import partitions
from modules.kernel.metrics import REGISTRY
from modules.kernel.partitions import Partitioned, drop_old, make_all
from tests.modules.diagnostics.said import hosted

KEPT_DAYS = 30
EVENTS = Partitioned(tables.events, lambda _: KEPT_DAYS)
FOREVER = Partitioned(tables.events, lambda _: 0)
STORE = (
    "INSERT INTO diagnostics.events (stored_at, occurred_at, id, key, payload) "
    "VALUES ($1, $1, 'an id', 'stations.seen.v1', '{}')"
)


@asynccontextmanager
async def connected(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(
        make_url(database).set(drivername="postgresql").render_as_string(hide_password=False)
    )
    try:
        yield connection
    finally:
        await connection.close()


def week(weeks_ago: int) -> datetime:
    now = datetime.now(UTC) - timedelta(weeks=weeks_ago)
    return (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)


def name(weeks_ago: int) -> str:
    return f"events_{week(weeks_ago):%Y%m%d}"


async def store_weeks(context: Hosted, connection: asyncpg.Connection, *weeks_ago: int) -> None:
    """An event in each of these weeks."""
    await make_all(context, EVENTS)
    for ago in weeks_ago:
        start, end = week(ago), week(ago - 1)
        await connection.execute(
            f"CREATE TABLE IF NOT EXISTS diagnostics.{name(ago)} PARTITION OF diagnostics.events "
            f"FOR VALUES FROM ('{start.isoformat()}') TO ('{end.isoformat()}')"
        )
        await connection.execute(STORE, start + timedelta(days=1))


async def there(connection: asyncpg.Connection) -> set[str]:
    """The tables, attached or not, that are partitions of events by their names."""
    rows = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'diagnostics'::regnamespace "
        "AND relkind = 'r' AND relname ~ '^events_[0-9]{8}$'"
    )
    return {row["relname"] for row in rows}


async def test_weeks_that_are_too_old_go_and_the_others_stay(database: str) -> None:
    async with hosted(database) as context, connected(database) as connection:
        await store_weeks(context, connection, 20, 7, 3)
        before = await there(connection)
        assert await drop_old(context, EVENTS)
        assert before - await there(connection) == {name(20), name(7)}
        assert await connection.fetchval("SELECT count(*) FROM diagnostics.events") == 1
    age = REGISTRY.get_sample_value("strum_oldest_kept_seconds", {"table": "diagnostics.events"})
    assert age is not None
    assert age == pytest.approx((datetime.now(UTC) - week(3)).total_seconds(), abs=60)


async def test_what_is_kept_for_ever_is(database: str) -> None:
    async with hosted(database) as context, connected(database) as connection:
        await store_weeks(context, connection, 200)
        assert await drop_old(context, FOREVER)
        assert name(200) in await there(connection)


async def test_a_clock_that_runs_ahead_drops_nothing(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Ahead(datetime):
        @classmethod
        def now(cls, tz=None):  # type: ignore[no-untyped-def]
            return datetime.now(tz) + timedelta(days=4000)

    monkeypatch.setattr(partitions, "datetime", Ahead)
    async with hosted(database) as context, connected(database) as connection:
        await store_weeks(context, connection, 2)
        assert await drop_old(context, EVENTS)
        assert name(2) in await there(connection)


async def test_a_partition_that_a_crash_left_half_detached_is_dropped(database: str) -> None:
    """A detaching that is broken off while it waits for a reader is pending: then only FINALIZE ends it."""
    async with hosted(database) as context, connected(database) as connection, connected(database) as reader:
        await store_weeks(context, connection, 10)
        async with reader.transaction():
            await reader.fetch("SELECT * FROM diagnostics.events")
            await connection.execute("SET statement_timeout = '300ms'")
            with pytest.raises(asyncpg.QueryCanceledError):
                await connection.execute(
                    f"ALTER TABLE diagnostics.events DETACH PARTITION diagnostics.{name(10)} CONCURRENTLY"
                )
        assert await connection.fetchval("SELECT bool_or(inhdetachpending) FROM pg_inherits")
        assert await drop_old(context, EVENTS)
        assert name(10) not in await there(connection)


async def test_a_partition_that_a_crash_left_detached_is_dropped(database: str) -> None:
    async with hosted(database) as context, connected(database) as connection:
        await store_weeks(context, connection, 10)
        await connection.execute(f"ALTER TABLE diagnostics.events DETACH PARTITION diagnostics.{name(10)}")
        assert await drop_old(context, EVENTS)
        assert name(10) not in await there(connection)


async def test_one_replica_drops_and_the_others_leave_it_alone(database: str) -> None:
    async with hosted(database) as context, connected(database) as connection, connected(database) as other:
        await store_weeks(context, connection, 10)
        await other.execute("SELECT pg_advisory_lock(hashtext('diagnostics.retention'))")
        assert await drop_old(context, EVENTS)
        assert name(10) in await there(connection)
        await other.execute("SELECT pg_advisory_unlock_all()")
        assert await drop_old(context, EVENTS)
        assert name(10) not in await there(connection)


async def test_replicas_that_make_a_partition_at_once_make_one(database: str) -> None:
    async with hosted(database) as context, connected(database) as connection:
        await asyncio.gather(*(make_all(context, EVENTS) for _ in range(4)))
        assert await there(connection) == {name(0), name(-1), name(-2)}


class Writer:
    """Stores an event every few milliseconds, and knows the longest that one took, in seconds."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self.longest_s = 0.0
        self.stored = 0

    async def run(self) -> None:
        while True:
            began = time.monotonic()
            await self._connection.execute(STORE, datetime.now(UTC))
            self.longest_s = max(self.longest_s, time.monotonic() - began)
            self.stored += 1
            await asyncio.sleep(0.005)


@asynccontextmanager
async def writing(database: str) -> AsyncIterator[Writer]:
    async with connected(database) as connection:
        writer = Writer(connection)
        task = asyncio.create_task(writer.run())
        yield writer
        assert not task.done(), task.exception()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


READS_S = 2.5
STALLED_S = 1.0


@pytest.mark.parametrize("what", ["drop", "make"])
async def test_nobody_who_writes_waits_while_a_reader_is_in_the_way(database: str, what: str) -> None:
    """The reader has read the week that goes: to detach it takes as long as the reader does, and writers go on."""
    async with hosted(database) as context, connected(database) as connection, connected(database) as reader:
        await store_weeks(context, connection, 10)
        if what == "make":
            await connection.execute(f"DROP TABLE diagnostics.{name(-2)}")
        async with writing(database) as writer:
            reading = reader.transaction()
            await reading.start()
            await reader.fetch("SELECT * FROM diagnostics.events")
            doing = asyncio.create_task(drop_old(context, EVENTS) if what == "drop" else make_all(context, EVENTS))
            await asyncio.sleep(READS_S)
            assert doing.done() == (what == "make"), "to detach waits for the reader, to attach does not"
            await reading.rollback()
            await doing
            await asyncio.sleep(0.2)
        assert writer.longest_s < STALLED_S, f"a writer waited {writer.longest_s:.2f} s"
        assert writer.stored > 20
        assert (name(10) not in await there(connection)) == (what == "drop")
