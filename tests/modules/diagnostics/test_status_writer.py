"""From events to the status store, through crashes and a store that is down."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import text

from modules.diagnostics import handlers, removed_stations
from modules.diagnostics.feed import Feed
from modules.diagnostics.opened import Opened, open_resources
from modules.diagnostics.repository import watermarks
from modules.diagnostics.status_store import PostgresStatusStore
from modules.diagnostics.status_writer import StatusWriter
from shared_contracts.charge_points import StationRemoved
from shared_contracts.message import Envelope
from shared_contracts.stations import ConnectorStatus
from tests.harness import running
from tests.modules.diagnostics.said import connected, disconnected, hosted, removed, reported, sampled

_DELETE_STATUSES = text("DELETE FROM diagnostics.statuses")
_AGE_MARKS = text("UPDATE diagnostics.watermarks SET moved_at = moved_at - interval '1 hour'")


@asynccontextmanager
async def partitioned(database):
    async with hosted(database) as context, open_resources(context):
        yield context


async def keep(context, writer, *events):
    """As the consumer does: a batch in one transaction."""
    context.resources[Opened] = Opened(context, PostgresStatusStore(context), writer, Feed(context))
    async with context.work() as work:
        sealed = [event if isinstance(event, Envelope) else Envelope.of(event) for event in events]
        await handlers.keep_events(sealed, work)


def a_writer(context, store=None):
    return StatusWriter(context, store or PostgresStatusStore(context), interval_s=0.05)


async def states(context):
    return {status.item: status.state for status in await PostgresStatusStore(context).of_station("CS-1")}


class DownStore(PostgresStatusStore):
    """A status store that may be down."""

    is_down = True

    async def put(self, statuses):
        if self.is_down:
            raise ConnectionError("down")
        await super().put(statuses)


async def test_statuses_are_shown_soon_after_the_event(database):
    async with running(database, "diagnostics", diagnostics={"flush_interval_s": 0.05}) as strum:
        await strum.publish(connected(), reported(state=ConnectorStatus.FAULTED), sampled(energy_wh=42))
        async with asyncio.timeout(20):
            while len((page := await strum.api().get("/charging-stations/CS-1/statuses"))[1]["items"]) < 3:
                await asyncio.sleep(0.02)
        code, faulted = await strum.api().get("/statuses", kind="connector", state="faulted")
    items = {item["item"]: item for item in page[1]["items"]}
    assert items["meter:1"]["values"]["energy_wh"] == 42
    assert items["station"]["state"] == "connected"
    assert (code, [item["item"] for item in faulted["items"]]) == (200, ["connector:1:1"])


async def test_statuses_are_paged(database):
    async with running(database, "diagnostics", diagnostics={"flush_interval_s": 0.05}) as strum:
        await strum.publish(*(reported(f"CS-{number}") for number in range(5)))
        seen, query = [], {"limit": 2}
        async with asyncio.timeout(20):
            while len((await strum.api().get("/statuses"))[1]["items"]) < 5:
                await asyncio.sleep(0.02)
        while query:
            _, page = await strum.api().get("/statuses", **query)
            seen += [item["station_id"] for item in page["items"]]
            query = {"limit": 2, "cursor": page["next_cursor"]} if page["next_cursor"] else None
    assert seen == [f"CS-{number}" for number in range(5)]


async def test_of_a_removed_station_no_status_is_left(database):
    async with running(database, "diagnostics", diagnostics={"flush_interval_s": 0.05}) as strum:

        async def stations():
            return {item["station_id"] for item in (await strum.api().get("/statuses"))[1]["items"]}

        await strum.publish(connected(), reported(), sampled(), reported("CS-2"))
        async with asyncio.timeout(20):
            while await stations() != {"CS-1", "CS-2"}:
                await asyncio.sleep(0.02)
        await strum.publish(StationRemoved(station_id="CS-1"), disconnected())
        async with asyncio.timeout(20):
            while await stations() != {"CS-2"}:
                await asyncio.sleep(0.02)
        await strum.publish(sampled())
        await asyncio.sleep(0.2)
        assert await stations() == {"CS-2"}


async def test_what_another_process_wrote_late_of_a_removed_station_is_removed_too(database, monkeypatch):
    async with partitioned(database) as context:
        monkeypatch.setattr(removed_stations, "LATE", timedelta(seconds=1))
        writer, other = a_writer(context), a_writer(context)
        await keep(context, writer, reported(), removed())
        await writer.flush()
        await keep(context, other, reported())
        await other.flush()
        assert await states(context) == {"connector:1:1": "available"}
        await asyncio.sleep(1)
        await writer.flush()
        assert await states(context) == {}


async def test_a_removal_that_a_killed_process_did_not_carry_out_is_carried_out_by_the_next(database):
    async with partitioned(database) as context:
        living = a_writer(context)
        await keep(context, living, reported(), reported("CS-2"))
        await living.flush()
        await keep(context, a_writer(context), removed())
        await a_writer(context).recover(idle=timedelta(0))
        assert await states(context) == {}


async def test_what_a_killed_process_did_not_write_is_written_by_the_next(database):
    async with partitioned(database) as context:
        await keep(context, a_writer(context), reported(), reported(connector_id=2))
        assert await states(context) == {}
        await a_writer(context).recover(idle=timedelta(0))
        assert await states(context) == {"connector:1:1": "available", "connector:2:1": "available"}


async def test_the_mark_of_a_process_is_where_it_last_wrote(database):
    async with partitioned(database) as context:
        killed = a_writer(context)
        await keep(context, killed, reported())
        await killed.flush()
        await keep(context, killed, reported(state=ConnectorStatus.CHARGING))
        async with context.work() as work:
            await work.execute(_DELETE_STATUSES)
        await a_writer(context).recover(idle=timedelta(0))
        assert await states(context) == {"connector:1:1": "charging"}


async def test_recovery_does_not_overwrite_what_came_since(database):
    async with partitioned(database) as context:
        await keep(context, a_writer(context), reported())
        living = a_writer(context)
        await keep(context, living, reported(state=ConnectorStatus.CHARGING))
        await living.flush()
        await living.recover(idle=timedelta(0))
        assert await states(context) == {"connector:1:1": "charging"}


async def test_marks_of_processes_that_are_gone_are_taken_away(database):
    async with partitioned(database) as context:
        await keep(context, a_writer(context), reported())
        async with context.work() as work:
            await work.execute(_AGE_MARKS)
        await a_writer(context).recover(idle=timedelta(seconds=60))
        async with context.work() as work:
            assert await watermarks.oldest_watermark(work, idle=timedelta(0)) is None


async def test_a_batch_that_was_rolled_back_leaves_no_mark(database):
    async with partitioned(database) as context:
        writer = a_writer(context)
        context.resources[Opened] = Opened(context, PostgresStatusStore(context), writer, Feed(context))
        with pytest.raises(ZeroDivisionError):
            await _keep_and_fail(context)
        async with context.work() as work:
            assert await watermarks.oldest_watermark(work, idle=timedelta(0)) is None
        await keep(context, writer, reported())
        async with context.work() as work:
            assert await watermarks.oldest_watermark(work, idle=timedelta(0)) is not None


async def test_while_the_store_is_down_events_go_on_and_statuses_wait(database):
    async with partitioned(database) as context:
        store = DownStore(context)
        writer = a_writer(context, store)
        await keep(context, writer, reported())
        running_writer = asyncio.create_task(writer.run())
        await asyncio.sleep(0.2)
        await keep(context, writer, reported(state=ConnectorStatus.CHARGING))
        assert await states(context) == {}
        store.is_down = False
        async with asyncio.timeout(20):
            while await states(context) != {"connector:1:1": "charging"}:
                await asyncio.sleep(0.02)
        running_writer.cancel()


async def test_an_orderly_stop_writes_the_last_and_leaves_no_mark(database):
    async with partitioned(database) as context:
        writer = a_writer(context)
        await keep(context, writer, reported())
        await writer.finish()
        assert await states(context) == {"connector:1:1": "available"}
        async with context.work() as work:
            assert await watermarks.oldest_watermark(work, idle=timedelta(0)) is None


async def _keep_and_fail(context):
    async with context.work() as work:
        await handlers.keep_events([Envelope.of(reported())], work)
        raise ZeroDivisionError
