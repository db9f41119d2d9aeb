"""Stored events are sent again to one module."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from modules.diagnostics import replaying
from shared_contracts.bus import RequestFailed, Subscription
from shared_contracts.diagnostics import ReplayEvents
from shared_contracts.users import Role
from tests.harness import running
from tests.modules.diagnostics.said import NOW, connected, hosted, sampled

REPLAYS = "/events/replays"


def listening(strum, to_module="statistics"):
    """What a module is sent, in order; the events it subscribes to are none of those that are published here."""
    got = []

    async def take(_, deliveries):
        got.extend(envelope for delivery in deliveries for envelope in delivery.envelopes)

    async def poison(*_):
        raise AssertionError

    strum.bus.subscribe(Subscription(to_module, frozenset({"none"}), take, poison))
    return got


async def finished(strum, replay_id):
    async with asyncio.timeout(20):
        while (replay := (await strum.api().get(f"{REPLAYS}/{replay_id}"))[1])["finished_at"] is None:
            await asyncio.sleep(0.05)
    return replay


async def test_a_module_gets_the_chosen_events_again_in_order(database, monkeypatch):
    monkeypatch.setattr(replaying, "_BATCH", 7)
    async with running(database, "diagnostics") as strum:
        got = listening(strum)
        for energy_wh in range(1, 21):
            await strum.publish(sampled(energy_wh=energy_wh), connected())
        body = {"to_module": "statistics", "keys": ["stations.meters*"]}
        code, replay = await strum.api().post(REPLAYS, body)
        assert (code, replay["events"], replay["sent"]) == (201, 20, 0)
        replay = await finished(strum, replay["id"])
        stored = {envelope.id for envelope in strum.events if envelope.key == sampled().key}
        _, page = await strum.api().get(REPLAYS)
    assert replay["sent"] == 20
    assert [envelope.read(type(sampled())).readings[0].energy_wh for envelope in got] == list(range(1, 21))
    assert {envelope.id for envelope in got} == stored
    assert page["items"] == [replay]


async def test_a_module_may_ask_for_a_replay_itself(database):
    async with running(database, "diagnostics") as strum:
        got = listening(strum)
        await strum.publish(connected(), sampled())
        answer = await strum.ask(ReplayEvents(to_module="statistics", keys=(connected().key,)))
        async with asyncio.timeout(20):
            while not got:
                await asyncio.sleep(0.05)
    assert answer.events == 1
    assert [envelope.key for envelope in got] == [connected().key]


async def test_a_replay_may_be_of_a_span_of_time(database):
    async with running(database, "diagnostics") as strum:
        listening(strum)
        await strum.publish(connected())
        for since, until, count in ((-1, 1, 1), (-2, -1, 0), (1, 2, 0)):
            span = {"since": NOW + timedelta(hours=since), "until": NOW + timedelta(hours=until)}
            body = {name: moment.isoformat() for name, moment in span.items()}
            _, replay = await strum.api().post(REPLAYS, body | {"to_module": "statistics", "keys": ["*"]})
            assert (await finished(strum, replay["id"]))["sent"] == count


async def test_what_is_being_stored_at_the_moment_of_the_request_is_waited_for(database):
    async with running(database, "diagnostics") as strum, hosted(database) as another:
        got = listening(strum)
        async with another.work() as work:
            await work.execute(_STORE_LATE)
            _, replay = await strum.api().post(REPLAYS, {"to_module": "statistics", "keys": ["late.v1"]})
            assert replay["events"] == 0
            await asyncio.sleep(1.2)
            _, waiting = await strum.api().get(f"{REPLAYS}/{replay['id']}")
        replay = await finished(strum, replay["id"])
    assert (waiting["finished_at"], replay["sent"]) == (None, 1)
    assert [envelope.key for envelope in got] == ["late.v1"]


async def test_a_module_that_takes_no_events_is_refused(database):
    async with running(database, "diagnostics") as strum:
        for to_module in ("diagnostics", "users", "nobody"):
            code, problem = await strum.api().post(REPLAYS, {"to_module": to_module, "keys": ["*"]})
            assert (code, problem["code"]) == (422, "invalid_request")
            with pytest.raises(RequestFailed, match="invalid_request"):
                await strum.ask(ReplayEvents(to_module=to_module, keys=("*",)))


async def test_an_unknown_replay_is_not_found(database):
    async with running(database, "diagnostics") as strum:
        for replay_id in ("nonsense", "7c9e6679-7425-40de-944b-e07fc1f90ae7"):
            code, problem = await strum.api().get(f"{REPLAYS}/{replay_id}")
            assert (code, problem["code"]) == (404, "replay_not_found")


async def test_a_viewer_may_not_replay(database):
    async with running(database, "diagnostics") as strum:
        code, _ = await strum.api(Role.VIEWER).post(REPLAYS, {"to_module": "statistics", "keys": ["*"]})
    assert code == 403


_STORE_LATE = text(
    "INSERT INTO diagnostics.events (occurred_at, id, key, payload) VALUES (now(), 'l', 'late.v1', '{}')"
)
