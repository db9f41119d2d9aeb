"""The event store over HTTP."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta

import orjson
import pytest

from modules.diagnostics import exporting
from modules.diagnostics.domain import EventFilter, FrameFilter
from modules.diagnostics.feed import Feed
from modules.diagnostics.status_store import PostgresStatusStore
from shared_contracts.message import Envelope, new_id
from shared_contracts.stations import FramesRecorded, SecurityEventReported, StationsSeen
from shared_contracts.users import Role
from tests.harness import running
from tests.modules.diagnostics.said import NOW, connected, hosted, reported, sampled


async def test_every_event_is_kept_as_it_was_published(database):
    async with running(database, "diagnostics") as strum:
        envelope = Envelope.of(connected(), cause="c-1", trace="t-1")
        await strum.bus.publish(envelope)
        code, page = await strum.api().get("/events")
    assert code == 200
    (event,) = page["items"]
    assert event["payload"] == orjson.loads(envelope.payload)
    assert (event["id"], event["key"], event["station_id"]) == (envelope.id, connected().key, "CS-1")
    assert (event["cause"], event["trace"]) == ("c-1", "t-1")
    assert datetime.fromisoformat(event["occurred_at"]) == envelope.occurred_at


@pytest.mark.parametrize("payload", [b"nonsense", b"[]", b"{}", b'"text"', b"1"])
@pytest.mark.parametrize("path", ["/events", "/events/export", "/security-events"])
async def test_what_is_no_event_does_not_hide_those_around_it(database: str, path: str, payload: bytes) -> None:
    sound = SecurityEventReported(station_id="CS-1", type="SettingSystemTime", reported_at=NOW, tech_info=None)
    async with running(database, "diagnostics") as strum:
        await strum.publish(sound)
        await strum.bus.publish(replace(Envelope.of(sound), id=new_id(), payload=payload))
        code, page = await strum.api().get(path)
        assert code == 200
        shown = page["items"] if isinstance(page, dict) else [orjson.loads(line) for line in page.splitlines()]
        assert len(shown) == 2
        assert {type(one["payload"]) for one in shown if "payload" in one} <= {dict}


async def test_heartbeats_and_frames_are_not_events_to_keep(database):
    async with running(database, "diagnostics") as strum:
        await strum.publish(StationsSeen(pod_id="p", seen_at=NOW), FramesRecorded(frames=()))
        _, page = await strum.api().get("/events")
    assert page["items"] == []


async def test_events_are_listed_newest_first_in_pages(database):
    async with running(database, "diagnostics") as strum:
        for energy_wh in range(5):
            await strum.publish(sampled(energy_wh=energy_wh))
        seen, cursor = [], {}
        while cursor is not None:
            _, page = await strum.api().get("/events", limit=2, **cursor)
            seen += [event["payload"]["readings"][0].get("energy_wh") for event in page["items"]]
            cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
    assert seen == [4, 3, 2, 1, 0]


async def test_events_are_chosen_by_key_station_and_time(database):
    hour = timedelta(hours=1)
    cases = [
        ({"key": "stations.connected.v1"}, ["CS-1"]),
        ({"key": "stations.*"}, ["CS-2", "CS-1", "CS-1"]),
        ({"key": "stations.c*"}, ["CS-1"]),
        ({"key": "transactions.*"}, []),
        ({"key": "stations_*"}, []),
        ({"station_id": "CS-2"}, ["CS-2"]),
        ({"since": NOW - hour, "until": NOW + hour}, ["CS-2", "CS-1", "CS-1"]),
        ({"until": NOW - hour}, []),
        ({"since": NOW + hour}, []),
    ]
    async with running(database, "diagnostics") as strum:
        for event in (connected(), reported(), sampled("CS-2")):
            await strum.publish(event)
        for query, expected in cases:
            code, page = await strum.api().get("/events", **query)
            assert (code, [event["station_id"] for event in page["items"]]) == (200, expected), query


async def test_several_keys_are_alternatives(database):
    async with running(database, "diagnostics") as strum:
        for event in (connected(), reported(), sampled()):
            await strum.publish(event)
        _, page = await strum.api().get("/events?key=stations.connected.v1&key=stations.status_*")
    assert [event["key"] for event in page["items"]] == [reported().key, connected().key]


async def test_who_reads_much_takes_no_connection_from_consumers(database):
    """Neither an export, nor a stream that catches up, nor a list of statuses waits for one of theirs, or takes it."""
    async with hosted(database) as context, AsyncExitStack() as held:
        for _ in range(context.database.working.pool.size()):
            await (await held.enter_async_context(context.work())).connection()
        async with asyncio.timeout(4):
            assert [chunk async for chunk in exporting.events_as_ndjson(context, EventFilter())] == []
            assert [chunk async for chunk in exporting.frames_as_text(context, FrameFilter("CS-1"))] == []
            assert [event async for event in Feed(context).missed(0, 1)] == []
            assert await PostgresStatusStore(context).of_station("CS-1") == []
            assert await PostgresStatusStore(context).page(kind=None, state=None, after=None, limit=1) == []


async def test_an_export_has_a_line_per_event_oldest_first(database):
    async with running(database, "diagnostics") as strum:
        for energy_wh in range(3):
            await strum.publish(sampled(energy_wh=energy_wh, transaction_ref="ü\u2028\"'"))
        await strum.publish(connected())
        code, text = await strum.api().get("/events/export", key=sampled().key)
    lines = [orjson.loads(line) for line in text.split("\n")[:-1]]
    assert code == 200
    assert [line["payload"]["readings"][0].get("energy_wh", 0) for line in lines] == [0, 1, 2]
    assert lines[0]["payload"]["transaction_ref"] == "ü\u2028\"'"
    assert lines[0]["key"] == sampled().key


async def test_security_events_are_listed_by_themselves(database):
    event = SecurityEventReported(station_id="CS-1", type="TamperDetectionActivated", reported_at=NOW)
    async with running(database, "diagnostics") as strum:
        await strum.publish(connected(), event)
        _, page = await strum.api().get("/security-events", station_id="CS-1")
    (shown,) = page["items"]
    assert (shown["type"], shown["tech_info"]) == ("TamperDetectionActivated", None)


async def test_a_query_that_does_not_fit_is_a_problem(database):
    paths = [
        "/events?cursor=nonsense",
        "/events?cursor=WyJ4Il0",
        "/events?since=yesterday",
        "/events?limit=0",
        "/events?colour=red",
        "/statuses?cursor=WzEsMl0",
        "/charging-stations/CS-1/frames?direction=up",
        "/charging-stations/CS-1/frames?cursor=WyJ4IiwxXQ",
        "/stream?types=gossip",
        "/stream?last_event_id=x",
    ]
    async with running(database, "diagnostics") as strum:
        for path in paths:
            code, problem = await strum.api().get(path)
            assert (code, problem["code"]) == (422, "invalid_request"), path


async def test_a_driver_sees_nothing_of_this(database):
    async with running(database, "diagnostics") as strum:
        for path in ("/events", "/events/export", "/statuses", "/charging-stations/CS-1/frames"):
            assert (await strum.api(Role.DRIVER).get(path))[0] == 403, path


@pytest.mark.parametrize("path", ["/events", "/events/export", "/security-events", "/charging-stations/CS-1/frames"])
@pytest.mark.parametrize("since", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00"])
async def test_a_time_that_cannot_be_stored_is_refused_by_its_name(database, path, since):
    async with running(database, "diagnostics") as strum:
        code, problem = await strum.api().get(path, since=since)
    assert (code, problem["errors"][0]["field"]) == (422, "since")
