"""A pod's life: ready, measured, drained."""

import asyncio
import time

import pytest

from communication_service.ocpp.versions import Version
from shared_contracts.authorization import JudgeToken
from shared_contracts.charge_points import GetStationAccess
from shared_contracts.stations import MetersSampled, StationConnected, StationDisconnected, StationsSeen
from tests.communication_service.edge import Edge, edge, until
from tests.communication_service.phrases import authorize, meters
from tests.communication_service.stations import RawSocket


async def health(e: Edge, path: str) -> tuple[int, str]:
    async with e.http.get(f"http://127.0.0.1:{e.communication.health_port}{path}") as response:
        return response.status, await response.text()


async def test_a_pod_is_ready_while_events_become_durable_and_live_all_the_time() -> None:
    async with edge() as e:
        assert (await health(e, "/readyz"))[0] == 200
        assert (await health(e, "/livez"))[0] == 200
        await e.bus.stop()
        assert (await health(e, "/readyz"))[0] == 503
        assert (await health(e, "/livez"))[0] == 200


async def test_connections_and_messages_are_counted() -> None:
    async with edge() as e:
        before = e.metric("strum_ocpp_messages_total", version="2.1", outcome="result")
        async with e.station(Version.V21) as station:
            await station.silent()
            await station.call("Nonsense")
            _, text = await health(e, "/metrics")

            assert 'strum_ocpp_connections{version="2.1"} 1.0' in text
            assert f'strum_ocpp_messages_total{{outcome="result",version="2.1"}} {before + 1}' in text
        await e.hears(StationDisconnected)
        assert e.metric("strum_ocpp_connections", version="2.1") == 0


async def test_a_pod_that_stops_answers_what_it_took_and_then_goes_away() -> None:
    async with edge() as e, e.station() as station, e.station(station_id="CS2") as idle:
        gate = e.modules.hold(JudgeToken)
        await station.send(authorize(Version.V16, "ABC"))
        await until(lambda: e.asked(JudgeToken))
        stopping = asyncio.create_task(e.communication.stop())
        await until(lambda: e.communication._door.draining)

        assert (await health(e, "/readyz"))[0] == 503
        async with RawSocket.dialled(e.communication.port) as late:
            assert (await late.upgrade("CS3"))[0] == 503
        assert await idle.closed() == 1001
        gate.set()
        assert (await station.receive())[:2] == [3, "7"]
        assert await station.closed() == 1001
        await stopping
        assert {event.close_code for event in await e.hears(StationDisconnected, 2)} == {1001}


async def test_a_station_that_is_let_in_just_when_the_pod_stops_is_sent_away() -> None:
    async with edge() as e, RawSocket.dialled(e.communication.port) as socket:
        gate = e.modules.hold(GetStationAccess)
        upgrading = asyncio.create_task(socket.upgrade("CS1"))
        await until(lambda: e.asked(GetStationAccess))
        stopping = asyncio.create_task(e.communication.stop())
        await until(lambda: e.communication._door.draining)
        gate.set()

        assert (await upgrading)[0] == 101
        assert await socket.closed() == 1001
        socket.writer.close()
        await stopping
        assert e.heard(StationConnected) == []


async def test_a_pod_that_stops_closes_its_connections_over_some_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async with edge() as e:
        sockets = []
        for number in range(100):
            reader, writer = await asyncio.open_connection("127.0.0.1", e.communication.port)
            sockets.append(RawSocket(reader, writer))
            await sockets[-1].upgrade(f"CS{number}")
        closed_at = []

        async def wait(socket: RawSocket) -> None:
            assert await socket.closed() == 1001
            closed_at.append(time.monotonic())
            socket.writer.close()

        waiting = [asyncio.create_task(wait(socket)) for socket in sockets]
        await e.communication.stop()
        await asyncio.gather(*waiting)

        assert 0.3 < max(closed_at) - min(closed_at) < 2


async def test_a_station_that_does_not_close_its_side_does_not_hold_up_the_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("communication_service.app._CLOSE_S", 0.5)
    async with edge(finish_s=0.3) as e, e.raw() as socket:
        e.modules.hold("events")
        socket.send(meters(Version.V16))
        await until(lambda: e.communication.registry.get("CS1")._answering)  # type: ignore[union-attr]
        begun = time.monotonic()
        stopping = asyncio.create_task(e.communication.stop())
        assert await socket.closed() == 1001
        e.modules.open_all()
        await stopping

        assert time.monotonic() - begun < 3
        await e.hears(MetersSampled)


async def test_the_system_is_told_who_was_heard_from() -> None:
    async with edge() as e, e.station() as station:
        await station.silent()
        e.communication._recorder.flush()
        await until(lambda: any("CS1" in event.last_seen_at for event in e.heard(StationsSeen)))

        assert {event.pod_id for event in e.heard(StationsSeen)} == {e.communication.pod_id}
