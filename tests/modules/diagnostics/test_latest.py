"""What is gathered in memory before it is written."""

import asyncio

from modules.diagnostics import latest as latest_module
from modules.diagnostics.domain import MOST_NUMBERED
from modules.diagnostics.latest import Latest
from shared_contracts.message import Envelope
from shared_contracts.stations import ConnectorStatus
from tests.modules.diagnostics.said import NOW, connected, disconnected, removed, reported, sampled, started


async def taken(latest, *events):
    latest.take(event if isinstance(event, Envelope) else Envelope.of(event) for event in events)
    return {(status.station_id, status.item): status for status in await latest.changed()}


async def test_only_the_newest_of_an_item_is_written():
    changed = await taken(
        Latest(), reported(), reported(state=ConnectorStatus.CHARGING), sampled(energy_wh=1), sampled(energy_wh=2)
    )
    assert changed["CS-1", "connector:1:1"].state == "charging"
    assert changed["CS-1", "meter:1"].body["energy_wh"] == 2
    assert len(changed) == 2


async def test_meters_of_other_stations_and_connectors_are_not_mixed_up():
    changed = await taken(
        Latest(),
        *(sampled(f"CS-{n % 3}", energy_wh=n, connector_id=n % 2, transaction_ref='"readings"') for n in range(60)),
    )
    assert {place: status.body["energy_wh"] for place, status in changed.items()} == {
        (f"CS-{n % 3}", f"meter:{n % 2}"): n for n in range(54, 60)
    }


async def test_what_is_written_is_forgotten_unless_it_changed_meanwhile():
    latest = Latest()
    written = list((await taken(latest, reported(connector_id=1), reported(connector_id=2))).values())
    await taken(latest, reported(connector_id=2, state=ConnectorStatus.FAULTED))
    latest.written(written)
    (left,) = await latest.changed()
    assert (left.item, left.state) == ("connector:2:1", "faulted")


async def test_what_cannot_be_read_is_left_out():
    latest = Latest()
    latest.take([Envelope("1", reported().key, "CS-1", NOW, b'{"station_id": "CS-1"}')])
    assert [status.item for status in (await taken(latest, connected())).values()] == ["station"]


async def test_other_events_are_not_gathered():
    latest = Latest()
    latest.take([Envelope.of(started())])
    assert await latest.changed() == []


async def test_memory_is_bounded_by_the_items_while_nothing_is_written(monkeypatch):
    monkeypatch.setattr(latest_module, "_UNREAD", 10)
    latest = Latest()
    for number in range(100):
        latest.take([Envelope.of(reported(connector_id=number % 2))])
        assert len(latest._unread) <= 11
    assert len(await latest.changed()) == 2


async def test_one_station_cannot_fill_the_memory_with_connectors_while_nothing_is_written():
    latest = Latest()
    many = [reported(connector_id=number) for number in range(1, MOST_NUMBERED + 100)]
    changed = await taken(latest, *many, connected(), reported(state=ConnectorStatus.FAULTED), reported("CS-2"))
    assert len([item for station_id, item in changed if station_id == "CS-1"]) == MOST_NUMBERED + 1
    assert changed["CS-1", "connector:1:1"].state == "faulted"
    assert ("CS-1", "station") in changed
    assert ("CS-2", "connector:1:1") in changed

    latest.written(list(changed.values()))
    assert list(await taken(latest, reported(connector_id=9000))) == [("CS-1", "connector:9000:1")]


async def test_nothing_is_lost_when_the_reading_is_cancelled(monkeypatch):
    monkeypatch.setattr(latest_module, "_AT_ONCE", 1)
    latest = Latest()
    latest.take([Envelope.of(reported(connector_id=number)) for number in range(5)])
    reading = asyncio.create_task(latest.changed())
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert reading.cancelled()
    assert len(await latest.changed()) == 5


async def test_of_a_removed_station_nothing_is_written_whatever_comes_late():
    changed = await taken(Latest(), connected(), reported(), removed(), disconnected(), reported(), reported("CS-2"))
    assert list(changed) == [("CS-2", "connector:1:1")]


async def test_a_station_that_connects_again_counts_again():
    changed = await taken(Latest(), reported(connector_id=2), removed(), connected(epoch=2), reported())
    assert list(changed) == [("CS-1", "station"), ("CS-1", "connector:1:1")]
