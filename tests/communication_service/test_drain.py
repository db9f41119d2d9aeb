"""A pod that is told to stop: what is under way is finished, nothing is begun, everybody is sent away in order."""

import asyncio
import time

import pytest

from communication_service.ocpp.versions import Version
from shared_contracts.authorization import JudgeToken
from shared_contracts.bus import StationOffline
from shared_contracts.commands import CommandOutcome, ResetStation
from tests.communication_service.edge import edge, until
from tests.communication_service.phrases import authorize
from tests.communication_service.stations import RawSocket
from tests.communication_service.test_app import health


async def test_what_is_under_way_both_ways_is_finished_before_the_connection_is_closed() -> None:
    async with edge() as e, e.station() as station:
        gate = e.modules.hold(JudgeToken)
        telling = e.telling(ResetStation())
        call = await station.receive()
        await station.send(authorize(Version.V16, "ABC"))
        await until(lambda: e.asked(JudgeToken))
        stopping = asyncio.create_task(e.communication.stop())
        await until(lambda: e.communication._door.draining)
        await asyncio.sleep(0.2)
        gate.set()
        assert (await station.receive())[:2] == [3, "7"]
        await station.send([3, call[1], {"status": "Accepted"}])

        assert await station.closed() == 1001
        assert (await telling).outcome is CommandOutcome.ACCEPTED
        await stopping


async def test_no_command_is_begun_and_its_caller_knows_at_once() -> None:
    async with edge() as e, e.station() as station:
        first = e.telling(ResetStation())
        call = await station.receive()
        behind = e.telling(ResetStation())
        await asyncio.sleep(0.05)
        stopping = asyncio.create_task(e.communication.stop())
        await until(lambda: e.communication._door.draining)

        with pytest.raises(StationOffline):
            await e.tell(ResetStation())
        await station.send([3, call[1], {"status": "Accepted"}])
        assert (await first).outcome is CommandOutcome.ACCEPTED
        assert (await behind).outcome is CommandOutcome.OFFLINE
        assert await station.closed() == 1001
        await stopping


async def test_balancers_have_time_to_notice_before_anybody_is_refused() -> None:
    async with edge(prestop_s=0.5) as e, e.station() as station:
        begun = time.monotonic()
        stopping = asyncio.create_task(e.communication.stop())
        await asyncio.sleep(0.1)
        assert (await health(e, "/readyz"))[0] == 503
        async with RawSocket.dialled(e.communication.port) as late:
            assert (await late.upgrade("CS9"))[0] == 101
            late.writer.close()
        await station.silent()
        assert await station.closed() == 1001
        assert time.monotonic() - begun > 0.5
        await stopping


async def test_who_comes_while_the_pod_drains_is_sent_elsewhere() -> None:
    async with edge() as e, e.station() as station:
        telling = e.telling(ResetStation())
        call = await station.receive()
        stopping = asyncio.create_task(e.communication.stop())
        await until(lambda: e.communication._door.draining)
        async with RawSocket.dialled(e.communication.port) as late:
            status, headers = await late.upgrade("CS9")
        assert status == 503
        assert headers["connection"] == "close"
        assert 10 <= int(headers["retry-after"]) <= 30
        await station.send([3, call[1], {"status": "Accepted"}])
        await telling
        await stopping


async def test_told_twice_it_waits_for_nobody_and_still_closes_in_order() -> None:
    async with edge(finish_s=30, drain_s=30) as e, e.station() as station:
        telling = e.telling(ResetStation(), timeout=30)
        await station.receive()
        begun = time.monotonic()
        stopping = asyncio.create_task(e.communication.stop())
        await until(lambda: e.communication._door.draining)
        e.communication.hurry()

        assert await station.closed() == 1001
        assert (await telling).outcome is CommandOutcome.TIMED_OUT, "its effect is unknown"
        await stopping
        assert time.monotonic() - begun < 5
