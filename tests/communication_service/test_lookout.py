"""A pod whose way to the broker breaks: nobody in, then everybody out, and back only when it is proven to work."""

import asyncio
from typing import Any

import pytest

from communication_service.ocpp.versions import Version
from shared_contracts.bus import Subscription, shard_of_key
from shared_contracts.transactions import ProveCommit
from tests.communication_service.edge import Edge, edge, until
from tests.communication_service.phrases import meters
from tests.communication_service.stations import RawSocket
from tests.communication_service.test_app import health

IMPATIENT: dict[str, Any] = {"doubt_after_s": 0.5, "outage_after_s": 1.5, "proven_for_s": 0.5, "outage_spread_s": 0.2}


async def _status(e: Edge, station_id: str) -> tuple[int, dict[str, str]]:
    async with RawSocket.dialled(e.communication.port) as socket:
        return await socket.upgrade(station_id)


async def test_while_nothing_becomes_durable_nobody_comes_in_then_all_are_let_go_and_taken_back_when_it_works() -> None:
    async with edge(**IMPATIENT) as e, e.station() as station:
        await asyncio.sleep(0.3)
        before = e.metric("strum_ocpp_let_go_total", cause="outage")
        gate = e.modules.hold("events")
        await station.send(meters(Version.V16))
        await until(lambda: not e.communication._lookout.admits("CS1"))

        status, headers = await _status(e, "CS1")
        assert status == 503
        assert 10 <= int(headers["retry-after"]) <= 30
        await until(lambda: not e.communication._lookout.ready)
        assert (await health(e, "/readyz"))[0] == 503
        assert (await health(e, "/livez"))[0] == 200
        await station.send([2, "beat", "Heartbeat", {}])
        assert await station.closed() == 1013
        assert e.metric("strum_ocpp_let_go_total", cause="outage") == before + 1
        assert e.metric("strum_ocpp_path_state", shard=str(shard_of_key("CS1", 4))) == 2

        gate.set()
        await asyncio.sleep(0.3)
        assert (await _status(e, "CS1"))[0] == 503, "one confirm is no proof"
        await until(lambda: e.communication._lookout.admits("CS1"))
        assert (await _status(e, "CS1"))[0] == 101


async def test_a_station_is_told_nothing_wrong_while_its_message_is_not_durable() -> None:
    """Silence keeps a transaction message at the station; a CALLERROR would have it thrown away."""
    async with edge(**IMPATIENT) as e, e.raw() as socket:
        e.modules.hold("events")
        socket.send(meters(Version.V16))
        first, payload = await socket.receive()
        assert (first & 0xF, int.from_bytes(payload[:2])) == (8, 1013)


async def test_while_transactions_are_not_answered_all_are_let_go_and_taken_back_when_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A station that is asked to wait on an open line throws a stop away after some minutes; one without keeps it."""
    monkeypatch.setattr("communication_service.lookout._PROBE_S", 0.1)
    monkeypatch.setattr("communication_service.lookout._PROBE_IN_TROUBLE_S", 0.1)
    impatient: dict[str, Any] = IMPATIENT | {"unanswered_after_s": 3.0, "request_timeout_s": 0.5}
    async with edge(**impatient) as e, e.station() as station:
        await until(lambda: bool(e.communication._lookout._probes.answered_at))
        gate = e.modules.hold(ProveCommit)
        await asyncio.sleep(2.0)
        assert e.communication._lookout.admits("CS1"), "a module that is restarted sends nobody away"
        assert (await _status(e, "CS2"))[0] == 101
        assert await station.closed() == 1013
        assert e.metric("strum_ocpp_requests_state") == 2
        assert (await _status(e, "CS1"))[0] == 503
        assert (await health(e, "/readyz"))[0] == 503

        gate.set()
        await asyncio.sleep(0.3)
        assert (await _status(e, "CS1"))[0] == 503, "one answer is no proof"
        await until(lambda: e.communication._lookout.admits("CS1"))
        assert (await _status(e, "CS1"))[0] == 101
        assert e.metric("strum_ocpp_requests_state") == 0


@pytest.mark.parametrize("what", ["probe", "echo", "request"])
async def test_a_pod_looks_on_whatever_a_look_runs_into(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("communication_service.lookout._PROBE_S", 0.05)
    failed = asyncio.Event()

    def fail(*_: object, **__: object) -> None:
        failed.set()
        raise RuntimeError("nobody thought of this")

    async with edge(**IMPATIENT) as e:
        with monkeypatch.context() as broken:
            broken.setattr(e.bus, what, fail)
            await asyncio.wait_for(failed.wait(), 5)
        e.modules.hold("events")
        await until(lambda: not e.communication._lookout.ready)


async def test_a_pod_without_the_queues_of_its_keepers_lets_nobody_in() -> None:
    async with edge(**(IMPATIENT | {"keepers": "modules nobody"})) as e:
        before = e.metric("strum_bus_queue_missing_total")
        await until(lambda: not e.communication._lookout.ready)
        assert (await _status(e, "CS1"))[0] == 503
        assert e.metric("strum_bus_queue_missing_total") >= before


async def test_nobody_comes_in_to_a_shard_whose_queue_is_not_there_from_the_first_look_on() -> None:
    async with edge(keepers="modules nobody", doubt_after_s=60) as e:
        await until(lambda: not e.communication._lookout.ready)
        assert (await _status(e, "CS1"))[0] == 503
        e.bus.subscribe(Subscription("nobody", frozenset(), ignore, ignore))
        await until(lambda: e.communication._lookout.admits("CS1"))
        assert (await _status(e, "CS1"))[0] == 101


async def ignore(*_: object) -> None:
    """A consumer that keeps nothing."""


async def test_a_storm_is_let_in_at_the_pace_that_the_settings_say() -> None:
    async with edge(handshakes_per_s=5) as e:
        statuses = [(await _status(e, f"CS{number}"))[0] for number in range(20)]
        assert 5 <= statuses.count(101) <= 8
        assert statuses.count(503) == 20 - statuses.count(101)
        await asyncio.sleep(0.5)
        assert (await _status(e, "CS1"))[0] == 101


async def test_no_more_upgrades_are_under_way_than_allowed() -> None:
    async with edge(handshakes_at_once=2) as e:
        gate = e.modules.hold("charge_points.get_station_access.v1")
        waiting = [asyncio.create_task(_status(e, f"CS{number}")) for number in range(5)]
        await until(lambda: sum(task.done() for task in waiting) == 3)
        assert {task.result()[0] for task in waiting if task.done()} == {503}
        gate.set()
        await asyncio.gather(*waiting)
        assert sorted(task.result()[0] for task in waiting) == [101, 101, 503, 503, 503]


async def test_an_upgrade_that_takes_too_long_is_dropped() -> None:
    async with edge(open_timeout_s=0.3) as e:
        gate = e.modules.hold("charge_points.get_station_access.v1")
        assert (await _status(e, "CS1"))[0] == 503
        gate.set()
