"""Connections in any order, pods that die, connectors that are told of."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from modules.charge_points.domain.connections import MOST_CONNECTORS
from modules.charge_points.service import connecting
from shared_contracts.message import Event
from shared_contracts.stations import (
    POD_SILENT,
    ConnectorStatus,
    StationConnected,
    StationDisconnected,
    StationsSeen,
    StatusReported,
)
from tests.harness import Running, running
from tests.modules.charge_points.edge import connected, register

T0 = datetime(2026, 7, 1, 12, tzinfo=UTC)


def _opened(station_id: str, epoch: int, seconds: int) -> StationConnected:
    return connected(station_id, epoch, at=_after(seconds))


def _ended(station_id: str, epoch: int, seconds: int) -> StationDisconnected:
    return StationDisconnected(station_id=station_id, epoch=epoch, pod_id="pod-1", disconnected_at=_after(seconds))


def _after(seconds: int) -> datetime:
    return T0 + timedelta(seconds=seconds)


async def _shown(strum: Running, station_id: str = "CS1") -> dict[str, Any]:
    status, body = await strum.api().get(f"/charging-stations/{station_id}")
    assert status == 200
    return dict(body)


async def _in_every_order(strum: Running, *events: Callable[[str], Event]) -> AsyncIterator[dict[str, Any]]:
    """Tell the events of one station after another, each in another order and the first one again; yields the views."""
    for number, order in enumerate(itertools.permutations(events)):
        station_id = f"CS{number}"
        await register(strum, station_id)
        for event in (*order, order[0]):
            await strum.publish(event(station_id))
        yield await _shown(strum, station_id)


async def test_the_newest_connection_lives_in_whatever_order_it_is_told(database: str) -> None:
    async with running(database, "charge_points") as strum:
        events = (lambda s: _opened(s, 10, 0), lambda s: _ended(s, 10, 9), lambda s: _opened(s, 20, 5))
        async for shown in _in_every_order(strum, *events):
            assert shown["connected"] is True
            assert shown["connected_since"] == "2026-07-01T12:00:05Z"
            assert shown["first_connected_at"] == "2026-07-01T12:00:00Z"
            assert shown["remote_address"] == "192.0.2.7"


async def test_the_end_of_the_newest_ends_all_in_whatever_order_it_is_told(database: str) -> None:
    async with running(database, "charge_points") as strum:
        events = (
            lambda s: _opened(s, 10, 0),
            lambda s: _ended(s, 10, 9),
            lambda s: _opened(s, 20, 5),
            lambda s: _ended(s, 20, 30),
        )
        async for shown in _in_every_order(strum, *events):
            assert (shown["connected"], shown["connected_since"]) == (False, None)
            assert shown["disconnected_at"] == "2026-07-01T12:00:30Z"
            assert shown["last_connected_at"] == "2026-07-01T12:00:05Z"


async def test_a_batch_of_connections_of_one_station_is_stored_as_its_newest(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        await strum.publish(_opened("CS1", 20, 5), _opened("CS1", 10, 0), _ended("CS1", 10, 9), connected("unknown", 3))
        assert (await _shown(strum))["connected_since"] == "2026-07-01T12:00:05Z"


async def test_the_last_sign_of_life_counts(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        await strum.publish(_opened("CS1", 10, 0))
        for seconds in (60, 40):
            seen = {"CS1": _after(seconds), "unknown": _after(seconds)}
            await strum.publish(StationsSeen(pod_id="pod-1", seen_at=_after(seconds), last_seen_at=seen))
        assert (await _shown(strum))["last_seen_at"] == "2026-07-01T12:01:00Z"


async def _all_told(strum: Running) -> None:
    """Wait until what the module publishes has been relayed."""
    (hosted,) = strum.management.hosted
    waiting = 1
    while waiting:
        async with hosted.work() as work:
            waiting = (await work.execute(text("SELECT count(*) FROM charge_points.outbox"))).scalar_one()


async def _give_up(strum: Running, silence: timedelta) -> int:
    (hosted,) = strum.management.hosted
    async with hosted.work() as work:
        return await connecting.give_up_silent_pods(work, silence=silence)


async def test_connections_of_a_silent_pod_are_given_up_and_those_of_others_kept(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum, "CS1")
        await register(strum, "CS2")
        await strum.publish(connected("CS1", 1, pod_id="dead"))
        cut = datetime.now(UTC)
        await strum.publish(connected("CS2", 1, pod_id="alive"))
        assert await _give_up(strum, datetime.now(UTC) - cut) == 1
        (told,) = await strum.hear(StationDisconnected)
        assert (told.station_id, told.reason, told.epoch) == ("CS1", POD_SILENT, 1)
        assert (await _shown(strum, "CS1"))["connected"] is False
        assert (await _shown(strum, "CS2"))["connected"] is True
        assert await _give_up(strum, datetime.now(UTC) - cut) == 0


async def test_a_pod_that_was_thought_dead_brings_its_stations_back_as_it_hears_them(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        await strum.publish(connected("CS1", 1))
        await _give_up(strum, timedelta(0))
        await strum.hear(StationDisconnected)
        await strum.publish(_status(1))  # follows in the order of the station, so the disconnection has been handled
        await strum.publish(StationsSeen(pod_id="pod-1", seen_at=T0, last_seen_at={"CS1": T0}))
        assert (await _shown(strum))["connected"] is True
        assert len(await strum.hear(StationConnected, 2)) == 2


async def test_a_sign_of_life_of_a_connected_station_is_not_told_as_a_connection(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        await strum.publish(connected("CS1", 1))
        for _ in range(2):
            await strum.publish(StationsSeen(pod_id="pod-1", seen_at=T0, last_seen_at={"CS1": T0}))
        await _all_told(strum)
        assert len(strum.heard(StationConnected)) == 1


async def test_a_sign_of_life_does_not_wait_for_a_station_that_another_batch_is_at(database: str) -> None:
    """Each would wait for the other: the batch of another shard tells of the same pod."""
    later = T0 + timedelta(minutes=1)
    async with running(database, "charge_points") as strum:
        for number, station_id in enumerate(("CS1", "CS2")):
            await register(strum, station_id)
            await strum.publish(connected(station_id, number + 1, at=T0))
        (hosted,) = strum.management.hosted
        seen = StationsSeen(pod_id="pod-1", seen_at=later, last_seen_at={"CS1": later, "CS2": later})
        async with hosted.work() as other:
            await other.execute(text("SELECT * FROM charge_points.connections WHERE station_id = 'CS1' FOR UPDATE"))
            async with asyncio.timeout(3):
                await strum.publish(seen)
        at = {name: (await _shown(strum, name))["last_seen_at"] for name in ("CS1", "CS2")}
        assert at["CS1"] < at["CS2"]
        await strum.publish(seen)
        assert (await _shown(strum, "CS1"))["last_seen_at"] == at["CS2"]


async def test_a_connection_that_ended_while_its_pod_was_called_silent_is_not_told_again(database: str) -> None:
    """The pod thaws: that the connection ended is handled before what the pod heard until then."""
    async with running(database, "charge_points") as strum:
        await register(strum)
        await strum.publish(connected("CS1", 1))
        await _give_up(strum, timedelta(0))
        await strum.publish(_ended("CS1", 1, 1))
        await strum.publish(StationsSeen(pod_id="pod-1", seen_at=T0, last_seen_at={"CS1": T0}))
        await _all_told(strum)
        assert (await _shown(strum))["connected"] is False
        assert len(strum.heard(StationConnected)) == 1


async def test_a_connection_that_really_ended_is_not_brought_back(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        await strum.publish(connected("CS1", 1), _ended("CS1", 1, 1))
        await strum.publish(StationsSeen(pod_id="pod-1", seen_at=T0, last_seen_at={"CS1": T0}))
        assert (await _shown(strum))["connected"] is False


def _status(connector_id: int, evse_id: int | None = None) -> StatusReported:
    return StatusReported(
        station_id="CS1",
        evse_id=evse_id,
        connector_id=connector_id,
        status=ConnectorStatus.AVAILABLE,
        raw_status="Available",
        reported_at=T0,
    )


async def test_connectors_are_those_that_the_station_told_of(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        await strum.publish(_status(2, 1), _status(1, 1), _status(1, 2), _status(1, 1))
        await strum.publish(_status(2, 1))
        assert (await _shown(strum))["evses"] == [
            {"evse_id": 1, "connectors": [{"connector_id": 1}, {"connector_id": 2}]},
            {"evse_id": 2, "connectors": [{"connector_id": 1}]},
        ]


async def test_connectors_of_ocpp_1_6_have_no_evse_and_connector_0_is_the_station(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        await strum.publish(_status(0), _status(1))
        assert (await _shown(strum))["evses"] == [{"evse_id": None, "connectors": [{"connector_id": 1}]}]


async def test_absurd_connectors_are_not_kept_and_others_only_up_to_a_bound(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        await strum.publish(_status(1634030126), _status(-1), _status(1, -5))
        await strum.publish(*(_status(number) for number in range(1, 101)))
        await strum.publish(*(_status(number) for number in range(51, 301)))
        connectors = [item for evse in (await _shown(strum))["evses"] for item in evse["connectors"]]
        assert len(connectors) == MOST_CONNECTORS


async def test_two_batches_that_hear_of_two_pods_do_not_stand_in_each_others_way(database: str) -> None:
    """One batch may tell of the pods in any order, since it has messages of several kinds."""
    async with running(database, "charge_points") as strum:
        await strum.publish(*(StationsSeen(pod_id=pod, seen_at=datetime.now(UTC)) for pod in ("a", "b")))
        engine = create_async_engine(database)
        try:
            async with engine.begin() as other:
                await other.execute(text("SELECT FROM charge_points.pods WHERE pod_id = 'b' FOR UPDATE"))
                async with asyncio.timeout(2):
                    await strum.publish(connected("CS1", 1, pod_id="b"), connected("CS2", 1, pod_id="a"))
        finally:
            await engine.dispose()
