"""F14, F15, F16: the database has no connection, no room or no right to give, or holds a lock. It is waited for."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest

from simulator.ledger import Class
from strum.postgres_programs import account
from tests.faults.databases import asking, connect, depths, drained, said, set_aside
from tests.faults.fleets import FAST, Charging, charging, transaction_messages, until
from tests.faults.ground import Ground
from tests.faults.sizes import SOON_S
from tests.figures import Figure
from tests.services.postgres import PrivatePostgres

STATIONS = 30
PATIENT = FAST | {"message_attempts": 40, "message_retry_s": 2}

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


def answered(stations: Charging) -> int:
    """How many messages of transactions were answered so far."""
    return transaction_messages(stations.ledger, Class.ANSWERED)


async def goes_on(stations: Charging, *, after: int) -> float:
    """Wait for an answer beyond so many; returns for how long."""
    began = time.monotonic()
    await until(lambda: answered(stations) > after, "an answer", within_s=60)
    return time.monotonic() - began


async def nothing_lost(ground: Ground, stations: Charging) -> None:
    """All begin and end their charges; the ledger agrees with the API, and nothing was set aside."""
    await stations.begun(STATIONS)
    findings = await stations.settled(ground.strum)
    assert findings.clean, findings
    assert findings.checked["stops"] >= STATIONS
    assert stations.ledger.counts["discarded"] == 0
    assert transaction_messages(stations.ledger, Class.REFUSED) == 0
    assert (await depths(ground.broker))["strum.dead"] == 0
    assert await set_aside(ground) == []


async def test_a_server_without_a_free_connection_is_waited_for(prepared: Ground, figure: Figure) -> None:
    await said(prepared.database, "ALTER SYSTEM SET max_connections = 60")
    await prepared.database.restart()
    await _start(prepared)
    async with charging(prepared.strum.ocpp_url, stations=STATIONS, settings=PATIENT) as stations:
        await stations.begun(STATIONS // 3)
        async with asking(prepared) as asked:
            async with _all_connections(prepared.database):
                await asyncio.sleep(8)
                during = answered(stations)
            figure("F14", "first answer after connections were free", await goes_on(stations, after=during), "s")
            figure("F14", "backlog of 8 s drained", await drained(prepared, within_s=60), "s", at_most=SOON_S)
        assert set(asked.statuses) == {200, 503}, asked
        assert asked.without_retry_after == 0
        await nothing_lost(prepared, stations)


async def test_reports_that_wait_take_no_connection_from_transactions(faulty: Ground, figure: Figure) -> None:
    async with charging(faulty.strum.ocpp_url, stations=STATIONS, settings=PATIENT) as stations:
        await stations.begun(STATIONS // 3)
        before = len(stations.ledger.calls)
        holder = await connect(faulty.database)
        async with asyncio.TaskGroup() as reports, holder.transaction():
            await holder.execute("LOCK TABLE configuration.variables IN ACCESS EXCLUSIVE MODE")
            asked = [
                reports.create_task(faulty.strum.api("GET", "/charging-stations/SIM-00001/variables"))
                for _ in range(60)
            ]
            await asyncio.sleep(8)
            calls = [call for call in stations.ledger.calls[before:] if "Transaction" in call.action]
        statuses = {report.result()[0] for report in asked}
        await holder.close()
        assert 503 in statuses, "the reports did not wait for anything"
        assert statuses <= {200, 404, 503}
        took = sorted((c.settled_at - c.sent_at).total_seconds() for c in calls if c.settled_at is not None)
        assert len(took) >= 10
        figure("F14", "slowest answer to a station beside 60 reports that wait", took[-1], "s", at_most=3)
        await nothing_lost(faulty, stations)


async def test_a_lock_on_a_hot_table_holds_for_as_long_as_it_is_held(faulty: Ground, figure: Figure) -> None:
    async with charging(faulty.strum.ocpp_url, stations=STATIONS, settings=PATIENT) as stations:
        await stations.begun(STATIONS // 3)
        holder = await connect(faulty.database)
        async with holder.transaction():
            await holder.execute("LOCK TABLE transactions.transactions IN ACCESS EXCLUSIVE MODE")
            await asyncio.sleep(3)
            during = answered(stations)
        figure("F15", "first answer after a lock of 3 s", await goes_on(stations, after=during), "s", at_most=3)
        await holder.close()
        await nothing_lost(faulty, stations)


async def test_a_database_that_may_only_be_read_is_waited_for(faulty: Ground, figure: Figure) -> None:
    async with charging(faulty.strum.ocpp_url, stations=STATIONS, settings=PATIENT) as stations:
        await stations.begun(STATIONS // 3)
        await said(faulty.database, "ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
        await asyncio.sleep(8)
        during = answered(stations)
        await said(faulty.database, "ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()")
        figure("F16", "first answer after it may be written", await goes_on(stations, after=during), "s", at_most=5)
        await nothing_lost(faulty, stations)


async def test_a_full_disk_is_waited_for(prepared: Ground, figure: Figure) -> None:
    async with AsyncExitStack() as closing:
        small = closing.enter_context(_small_disk())
        await _move_to(small, prepared.database)
        closing.push_async_callback(prepared.database.stop)
        await _start(prepared)
        closing.push_async_callback(_stop, prepared)
        async with charging(prepared.strum.ocpp_url, stations=STATIONS, settings=PATIENT) as stations:
            await stations.begun(STATIONS // 3)
            ballast = small / "ballast"
            _fill(ballast)
            await _until_full(prepared)
            await asyncio.sleep(8)
            _fill(ballast)
            during = answered(stations)
            ballast.unlink()
            figure("F16", "first answer after there was room", await goes_on(stations, after=during), "s", at_most=5)
            await nothing_lost(prepared, stations)


async def _start(ground: Ground) -> None:
    await ground.strum.management().start()
    await ground.strum.communication().start()
    await ground.strum.sign_in()


async def _stop(ground: Ground) -> None:
    for service in reversed(ground.strum.services):
        await service.stop()


@asynccontextmanager
async def _all_connections(database: PrivatePostgres) -> AsyncIterator[None]:
    """Take every connection that there is, those of the services as well."""
    held: list[asyncpg.Connection] = []
    try:
        for _ in range(3):
            with suppress(asyncpg.TooManyConnectionsError):
                while True:
                    held.append(await connect(database))
            await held[0].execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'strum'"
            )
        yield
    finally:
        await asyncio.gather(*(connection.close() for connection in held))


@contextmanager
def _small_disk() -> Iterator[Path]:
    """A file system of 64 MiB, in memory, where the server's account may go; only root may mount one."""
    with TemporaryDirectory(prefix="strum-small-disk-") as directory:
        command = ["mount", "-t", "tmpfs", "-o", "size=64m,mode=755", "tmpfs", directory]
        done = subprocess.run(command, check=False, capture_output=True)
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.decode().strip()}")
        try:
            yield Path(directory)
        finally:
            subprocess.run(["umount", "--lazy", directory], check=True)


async def _move_to(disk: Path, database: PrivatePostgres) -> None:
    """Put the data there, and leave the log of the server where it is: without room for it the server would end."""
    place = disk / "space"
    place.mkdir()
    if user := account():
        user.own(place)
    await said(
        database,
        f"CREATE TABLESPACE small LOCATION '{place}'",
        "ALTER DATABASE postgres SET TABLESPACE small",
        name="template1",
    )


def _fill(ballast: Path) -> None:
    """Write until nothing more fits."""
    with suppress(OSError), ballast.open("ab", buffering=0) as file:
        while True:
            file.write(b"\0" * 65536)
    with suppress(OSError), ballast.open("ab", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)


async def _until_full(ground: Ground) -> None:
    """Wait until the server was refused room: what its files have left is used up first."""
    log = ground.strum.directory / "management.log"
    await until(
        lambda: "could not extend file" in log.read_text() or "DiskFull" in log.read_text(), "full", within_s=60
    )
