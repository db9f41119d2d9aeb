"""F24, F25: pods end and are replaced. What is under way is finished, stations go in order, nothing is lost."""

import asyncio
import signal
import time
from bisect import bisect
from collections import Counter
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import aiohttp
import pytest

from shared_contracts.stations import StationDisconnected
from simulator.ledger import Class
from tests.e2e.stack import Service
from tests.faults.edges import Balancer, Bare, pod
from tests.faults.fleets import charging, transaction_messages, until
from tests.faults.ground import Ground
from tests.figures import Figure
from tests.services.ports import free_port

STATIONS = 60


@pytest.mark.long
@pytest.mark.timeout(420)
async def test_a_rolling_update_disconnects_each_station_once_per_pod_and_loses_nothing(
    prepared: Ground, figure: Figure
) -> None:
    """Each round replaces a pod and the management service, the new ones ready before the old ones are told to end."""
    management = await prepared.strum.management().start()
    await prepared.strum.sign_in()
    async with AsyncExitStack() as stack:
        old = [await stack.enter_async_context(pod(prepared, f"old-{n}", drain_s=5, prestop_s=2)) for n in range(2)]
        balancer = await stack.enter_async_context(Balancer(old))
        stations = await stack.enter_async_context(charging(balancer.url, stations=STATIONS))
        await stations.begun(STATIONS // 2)
        drains, rounds = [], []
        for number, leaving in enumerate(old):
            rounds.append(datetime.now(UTC))
            balancer.pods.append(await stack.enter_async_context(pod(prepared, f"new-{number}")))
            outgoing, management = management, await _next_management(prepared, number)
            await asyncio.sleep(2)
            drain_s, _ = await asyncio.gather(_stopped(leaving.service), _stopped(outgoing))
            drains.append(drain_s)
            balancer.pods.remove(leaving)
            await asyncio.sleep(5)
        figure("F24", "longest drain of a pod, told to take 2 + 5 s", max(drains), "s", at_most=25)
        await until(lambda: all(each.ready for each in stations.fleet.stations), "all back", within_s=60)
        await stations.begun(STATIONS)
        findings = await stations.settled(prepared.strum, within_s=120)
        events = await prepared.strum.pages("/events", key=StationDisconnected.key)
    gone = [StationDisconnected.model_validate(event["payload"]) for event in events]
    codes = Counter(event.close_code for event in gone)
    per_pod = Counter((event.pod_id, event.station_id) for event in gone)
    per_round = Counter((bisect(rounds, event.disconnected_at), event.station_id) for event in gone)
    assert findings.clean, findings
    assert codes.keys() == {1001}, codes
    assert {place for place, _ in per_round} == {1, 2}, "each replacement moved somebody"
    assert len({pod_id for pod_id, _ in per_pod}) == len(old), "who came to a new pod stayed there"
    figure("F24", "disconnections of a station per pod", max(per_pod.values()), at_most=1)
    figure("F24", "disconnections of a station per replacement", max(per_round.values()), at_most=1)
    assert len(gone) >= STATIONS, "everybody was moved"
    assert stations.ledger.counts["discarded"] == 0
    assert transaction_messages(stations.ledger, Class.REFUSED) == 0


async def _next_management(ground: Ground, number: int) -> Service:
    """A further management service, which answers for the API from now on; the one before runs too."""
    following = ground.strum.management("--no-migrate", port=free_port(), name=f"management-{number}")
    await following.start()
    ground.strum.api_port = int(following.environment["STRUM_PORT"])
    return following


async def _stopped(service: Service) -> float:
    """End it in order; returns what that took, in seconds."""
    began = time.monotonic()
    assert await service.stop() == 0
    return time.monotonic() - began


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_a_pod_that_is_killed_in_the_middle_of_its_drain_loses_nothing_acknowledged(
    prepared: Ground, figure: Figure
) -> None:
    await prepared.strum.management().start()
    await prepared.strum.sign_in()
    async with (
        pod(prepared, "leaving", drain_s=60) as leaving,
        Balancer([leaving]) as balancer,
        charging(balancer.url, stations=STATIONS) as stations,
    ):
        await stations.begun(STATIONS // 2)
        answered = transaction_messages(stations.ledger, Class.ANSWERED)
        leaving.signal(signal.SIGTERM)
        await asyncio.sleep(0.15)
        await leaving.service.kill()
        async with pod(prepared, "next") as following:
            balancer.pods[:] = [following]
            await until(lambda: all(each.ready for each in stations.fleet.stations), "all back", within_s=60)
            await stations.begun(STATIONS)
            findings = await stations.settled(prepared.strum, within_s=120)
    assert findings.clean, findings
    assert transaction_messages(stations.ledger, Class.ANSWERED) > answered > 0
    assert stations.ledger.counts["discarded"] == 0
    assert transaction_messages(stations.ledger, Class.REFUSED) == 0
    figure("F25", "lost after SIGKILL in the middle of a drain", len(findings.lost), at_most=0)


@pytest.mark.timeout(120)
async def test_a_second_signal_ends_the_wait_and_still_says_goodbye(prepared: Ground, figure: Figure) -> None:
    await prepared.strum.management().start()
    async with pod(prepared, "edge", drain_s=60, finish_s=60) as edge:
        bare = Bare(edge.url)
        await bare.connect(*(f"BARE-{number}" for number in range(40)))
        for socket in bare.sockets.values():
            await socket.send_str('[2,"there","Heartbeat",{}]')
            await socket.receive_str(timeout=10)
        farewells = [asyncio.create_task(_farewell(socket)) for socket in bare.sockets.values()]
        prepared.broker.freeze()
        try:
            await asyncio.gather(*(socket.send_str(_BOOT) for socket in bare.sockets.values()))
            await asyncio.sleep(0.3)
            edge.signal(signal.SIGTERM)
            await asyncio.sleep(0.5)
            assert not any(farewell.done() for farewell in farewells), "it waits for its answers"
            prepared.broker.thaw()
            edge.signal(signal.SIGTERM)
            began = time.monotonic()
            assert edge.service.process is not None
            assert await asyncio.wait_for(edge.service.process.wait(), 30) == 0
        finally:
            prepared.broker.thaw()
        figure("F25", "end after the second signal", time.monotonic() - began, "s", at_most=15)
        codes = await asyncio.gather(*farewells)
        await bare.end()
    assert Counter(codes) == {1001: 40}


async def _farewell(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    """Read to the end; the code that the other side gave, or None if it gave none."""
    while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
        pass
    return message.data if message.type is aiohttp.WSMsgType.CLOSE else None


_BOOT = '[2,"boot","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]'
