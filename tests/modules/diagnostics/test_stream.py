"""The stream of server-sent events: who gets what, in order, without a gap."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest
from sqlalchemy import text

from modules.diagnostics import feed, stream
from modules.diagnostics.domain import StoredEvent
from shared_contracts.bus import BusUnavailable
from shared_contracts.stations import MeterReading, SecurityEventReported, StationsSeen
from shared_contracts.transactions import (
    ListOpenTransactions,
    OpenTransactionsListed,
    TransactionEnded,
    TransactionState,
    TransactionUpdated,
)
from shared_contracts.users import Role
from tests.harness import Running, running
from tests.modules.diagnostics.said import NOW, connected, disconnected, hosted, reported, sampled, started, told

NO_TRANSACTIONS = {ListOpenTransactions: lambda _: OpenTransactionsListed()}


class Reader:
    """Reads one stream; `following` has an event as a dictionary of its fields."""

    def __init__(self, response) -> None:
        self.response = response

    async def following(self, within_s: float = 20.0):
        fields = {}
        async with asyncio.timeout(within_s):
            async for raw in self.response.content:
                line = raw.decode().rstrip("\n")
                if not line and "data" in fields:
                    return fields | {"data": orjson.loads(fields["data"])}
                name, _, value = line.partition(": ")
                fields[name] = value
        return None

    async def some(self, count: int):
        return [await self.following() for _ in range(count)]


@asynccontextmanager
async def reading(
    strum: Running, query: str = "", *, role=Role.VIEWER, user_id="u-1", **headers
) -> AsyncIterator[Reader]:
    client = strum.api(role, user_id)
    named = {name.replace("_", "-"): value for name, value in headers.items()} | client.headers
    async with client.session.get(f"{client.base}/stream{query}", headers=named) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "text/event-stream"
        yield Reader(response)


@asynccontextmanager
async def listening(strum: Running, query: str = "", **more) -> AsyncIterator[Reader]:
    """Reading, and sure that the stream has begun: a first event came through."""
    async with reading(strum, query, **more) as reader:
        opened = strum.management.hosted[0].resources
        (resource,) = [item for kind, item in opened.items() if kind.__name__ == "Opened"]
        async with asyncio.timeout(20):
            while not any(each.has_begun for each in resource.feed._listeners):
                await asyncio.sleep(0.01)
        yield reader


async def test_events_are_pushed_as_they_are_stored(database):
    async with running(database, "diagnostics") as strum, listening(strum) as reader:
        await strum.publish(connected())
        event = await reader.following()
    assert event["event"] == "connected"
    assert event["data"]["payload"] == orjson.loads(connected().model_dump_json(exclude_defaults=True))
    assert (event["data"]["key"], event["data"]["station_id"]) == (connected().key, "CS-1")
    assert event["id"]


async def test_each_kind_has_its_name(database):
    reading_of_a_meter = (MeterReading(sampled_at=NOW, energy_wh=1),)
    events = [
        (connected(), "connected"),
        (disconnected(), "disconnected"),
        (reported(), "status"),
        (sampled(), "meters"),
        (told(readings=reading_of_a_meter), "meters"),
        (started(), "transaction_started"),
        (updated(), "transaction_updated"),
        (ended(), "transaction_ended"),
    ]
    async with running(database, "diagnostics") as strum, listening(strum) as reader:
        for event, _ in events:
            await strum.publish(event)
        found = await reader.some(len(events))
    assert [event["event"] for event in found] == [name for _, name in events]


async def test_what_is_not_for_the_stream_is_not_sent(database):
    security = SecurityEventReported(station_id="CS-1", type="x", reported_at=NOW)
    async with running(database, "diagnostics") as strum, listening(strum) as reader:
        await strum.publish(security, StationsSeen(pod_id="p", seen_at=NOW), told(), connected())
        assert (await reader.following())["event"] == "connected"


async def test_a_client_may_choose_types_and_a_station(database):
    query = "?types=status&types=meters&station_id=CS-2"
    async with running(database, "diagnostics") as strum, listening(strum, query) as reader:
        for event in (connected("CS-2"), reported("CS-1"), reported("CS-2"), sampled("CS-1"), sampled("CS-2")):
            await strum.publish(event)
        found = await reader.some(2)
    assert [(event["event"], event["data"]["station_id"]) for event in found] == [
        ("status", "CS-2"),
        ("meters", "CS-2"),
    ]


@pytest.mark.parametrize("how", ["header", "query"])
async def test_a_client_resumes_after_the_last_event_it_had(database, how):
    async with running(database, "diagnostics") as strum:
        async with listening(strum) as reader:
            await strum.publish(sampled(energy_wh=1))
            last = (await reader.following())["id"]
        for energy_wh in range(2, 6):
            await strum.publish(sampled(energy_wh=energy_wh))
        headers = {"Last_Event_ID": last} if how == "header" else {}
        query = f"?last_event_id={last}" if how == "query" else ""
        async with reading(strum, query, **headers) as reader:
            missed = await reader.some(4)
            await strum.publish(sampled(energy_wh=6))
            missed.append(await reader.following())
    assert [energy(event) for event in missed] == [2, 3, 4, 5, 6]


async def test_no_event_is_lost_or_doubled_while_clients_come_and_go(database, monkeypatch):
    monkeypatch.setattr(feed, "_PAGE", 3)
    async with running(database, "diagnostics") as strum:
        publishing = asyncio.create_task(_publish_many(strum, 120))
        seen, last = [], "0"
        while len(seen) < 120:
            async with reading(strum, f"?last_event_id={last}") as reader:
                for event in await reader.some(min(17, 120 - len(seen))):
                    seen.append(energy(event))
                    last = event["id"]
        await publishing
    assert seen == list(range(1, 121))


async def test_an_event_that_is_committed_late_is_not_missed(database):
    async with running(database, "diagnostics") as strum, hosted(database) as another, listening(strum) as reader:
        async with another.work() as work:
            await work.execute(_STORE_LATE)
            await strum.publish(connected())
            with pytest.raises(TimeoutError):
                await reader.following(within_s=0.5)
        found = await reader.some(2)
    assert [event["data"]["station_id"] for event in found] == ["LATE", "CS-1"]


async def test_events_that_another_process_stores_are_pushed(database):
    async with (
        running(database, "diagnostics") as strum,
        running(database, "diagnostics") as another,
        listening(strum) as reader,
    ):
        await asyncio.sleep(0.1)
        await another.publish(connected())
        assert (await reader.following(within_s=0.9))["event"] == "connected"  # sooner than by looking now and then


async def test_a_driver_gets_their_own_transactions_and_meters_only(database):
    charging = {ListOpenTransactions: lambda _: OpenTransactionsListed(transactions=(("CS-1", "old"),))}
    mine, others = {"driver_id": "d-1"}, {"driver_id": "d-2"}
    hidden = [
        connected(),
        reported(),
        started(transaction_ref="theirs", **others),
        started(transaction_ref="nobody's"),
        sampled(transaction_ref="theirs"),
        sampled(transaction_ref=None),
        sampled("CS-2", transaction_ref="old"),
    ]
    shown = [
        sampled(transaction_ref="old", energy_wh=1),
        started(transaction_ref="new", **mine),
        sampled(transaction_ref="new", energy_wh=2),
        updated(transaction_ref="new", **mine),
        ended(transaction_ref="new", **mine),
    ]
    async with (
        running(database, "diagnostics", fakes=charging) as strum,
        listening(strum, role=Role.DRIVER, user_id="d-1") as reader,
    ):
        for event in (*hidden, *shown):
            await strum.publish(event)
        found = await reader.some(5)
    assert [event["event"] for event in found] == [
        "meters",
        "transaction_started",
        "meters",
        "transaction_updated",
        "transaction_ended",
    ]
    assert [energy(found[0]), energy(found[2])] == [1, 2]


async def test_a_driver_who_chose_meters_only_gets_those_of_a_new_transaction(database):
    async with (
        running(database, "diagnostics", fakes=NO_TRANSACTIONS) as strum,
        listening(strum, "?types=meters", role=Role.DRIVER, user_id="d-1") as reader,
    ):
        for event in (started(driver_id="d-1"), sampled(transaction_ref="7")):
            await strum.publish(event)
        assert (await reader.following())["event"] == "meters"


async def test_a_driver_gets_nothing_while_their_transactions_are_not_known(database):
    def away(_):
        raise BusUnavailable

    async with running(database, "diagnostics", fakes={ListOpenTransactions: away}) as strum:
        code, _ = await strum.api(Role.DRIVER).get("/stream")
    assert code >= 500


async def test_a_slow_client_is_cut_off_and_resumes(database, monkeypatch):
    monkeypatch.setattr(feed, "_QUEUE", 5)
    async with running(database, "diagnostics") as strum, hosted(database) as another:
        async with listening(strum) as reader:
            async with another.work() as work:  # all become visible at once
                await work.execute(_STORE_MANY)
            seen = []
            while (event := await reader.following()) is not None:
                seen.append(event)
        async with reading(strum, f"?last_event_id={seen[-1]['id']}") as reader:
            seen += await reader.some(50 - len(seen))
    assert [event["data"]["station_id"] for event in seen] == [f"CS-{number}" for number in range(1, 51)]


async def test_a_client_that_is_ahead_of_this_process_is_not_sent_what_it_had():
    behind = feed.Feed(context=None)
    behind._position = 1
    events = stream.follow(behind, stream.Selection(), after=2)
    first = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)
    behind._hand_out([feed.FeedEvent(_stored(position)) for position in (2, 3)])
    assert (await first).id == "3"
    await events.aclose()


async def test_a_stream_ends_after_a_while_even_if_it_is_busy(database, monkeypatch):
    monkeypatch.setattr(stream, "_LONGEST_S", 0.3)
    async with running(database, "diagnostics") as strum, reading(strum) as reader:
        publishing = asyncio.create_task(_publish_many(strum, 200))
        while await reader.following() is not None:
            pass
        assert not publishing.done()
        await publishing


async def test_nothing_is_read_while_nobody_listens(database):
    async with running(database, "diagnostics") as strum:
        async with listening(strum):
            pass
        resources = strum.management.hosted[0].resources
        (opened,) = [item for kind, item in resources.items() if kind.__name__ == "Opened"]
        async with asyncio.timeout(20):
            while opened.feed._position is not None:
                await strum.publish(connected())  # that a client has left is noticed when it is written to
                await asyncio.sleep(0.02)
        assert not opened.feed._listeners


def _stored(position):
    return StoredEvent(position, "i", connected().key, "CS-1", NOW, NOW, None, None, "{}")


def energy(event):
    return event["data"]["payload"]["readings"][0]["energy_wh"]


async def _publish_many(strum, count):
    for energy_wh in range(1, count + 1):
        await strum.publish(sampled(energy_wh=energy_wh))


def updated(transaction_ref: str = "7", **more):
    return TransactionUpdated(
        transaction_id="t",
        station_id="CS-1",
        transaction_ref=transaction_ref,
        charging_state="Charging",
        happened_at=NOW,
        **more,
    )


def ended(transaction_ref: str = "7", **more):
    return TransactionEnded(
        transaction_id="t",
        station_id="CS-1",
        transaction_ref=transaction_ref,
        state=TransactionState.FINISHED,
        reason="Local",
        started_at=NOW,
        ended_at=NOW,
        **more,
    )


_STORE = "INSERT INTO diagnostics.events (occurred_at, id, key, station_id, payload) "
_STORE_LATE = text(_STORE + "VALUES (now(), 'l', 'stations.connected.v1', 'LATE', '{}')")
_STORE_MANY = text(
    _STORE + "SELECT now(), n::text, 'stations.connected.v1', 'CS-' || n, '{}' FROM generate_series(1, 50) n"
)
