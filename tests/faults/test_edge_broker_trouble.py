"""F6, F7, F8, F9: the way to the broker breaks. Stations are let go, and taken back when it is proven to work."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from datetime import datetime

import pytest

from shared_contracts.bus import shard_of_key
from simulator.ledger import Class
from tests.e2e.stack import SHARDS
from tests.faults.edges import Bare, Pod, came, percentile, pod
from tests.faults.fleets import charging, transaction_messages, until
from tests.faults.ground import Ground
from tests.figures import Figure

STATIONS = 60
OUTAGE = 2

Break = Callable[[Ground], Awaitable[object]]


async def _freeze(ground: Ground) -> None:
    ground.broker.freeze()


async def _thaw(ground: Ground) -> None:
    ground.broker.thaw()


async def _memory_alarm(ground: Ground) -> None:
    await ground.broker.control("set_vm_memory_high_watermark", "0.00001")


async def _no_memory_alarm(ground: Ground) -> None:
    await ground.broker.control("set_vm_memory_high_watermark", "0.4")


async def _disk_alarm(ground: Ground) -> None:
    await ground.broker.control("set_disk_free_limit", "1000GB")


async def _no_disk_alarm(ground: Ground) -> None:
    await ground.broker.control("set_disk_free_limit", "1MB")


async def _in_outage(edge: Pod) -> bool:
    return await edge.metric("strum_ocpp_path_state") == OUTAGE * SHARDS


@pytest.mark.long
@pytest.mark.timeout(420)
@pytest.mark.parametrize(
    ("row", "spoil", "heal"),
    [
        ("F6", _freeze, _thaw),
        ("F7", _memory_alarm, _no_memory_alarm),
        ("F7", _disk_alarm, _no_disk_alarm),
    ],
    ids=["frozen", "memory alarm", "disk alarm"],
)
async def test_stations_are_let_go_while_nothing_becomes_durable_and_nothing_is_lost(
    prepared: Ground, figure: Figure, row: str, spoil: Break, heal: Break
) -> None:
    await prepared.strum.management().start()
    await prepared.strum.sign_in()
    async with pod(prepared, "edge") as edge, charging(edge.url, stations=STATIONS) as stations:
        await stations.begun(STATIONS // 2)
        await asyncio.sleep(3)
        resident = edge.rss_mib
        await spoil(prepared)
        began, spoilt_at = time.monotonic(), datetime.now().astimezone()

        async def unready() -> bool:
            return not await edge.ready()

        async def empty() -> bool:
            return await edge.connections() == 0

        figure(row, "not ready after", await came(unready, "not ready", within_s=30), "s", at_most=10)
        taken_s = await came(lambda: _in_outage(edge), "outage mode", within_s=30, since=began)
        figure(row, "outage mode after", taken_s, "s", at_most=20)
        figure(row, "all let go after", await came(empty, "let go", within_s=30, since=began), "s", at_most=27)
        if row == "F6":
            first = min(datetime.fromisoformat(entry["timestamp"]) for entry in edge.logged("publish_retried"))
            figure(row, "first publish abandoned after", (first - spoilt_at).total_seconds(), "s", at_most=6)
        grown = []
        for _ in range(20):
            await asyncio.sleep(1)
            grown.append(edge.rss_mib)
        if row == "F7":
            figure(row, "growth of the edge's memory", 100 * (max(grown) / resident - 1), "%", at_most=10)
            depths = await prepared.broker.control("list_queues", "name", "messages_ready")
            assert all(int(depth) == 0 for depth in re.findall(r"\.s\d+\s+(\d+)", depths)), depths
        answered = transaction_messages(stations.ledger, Class.ANSWERED)
        await heal(prepared)
        healed = time.monotonic()
        await came(edge.ready, "ready again", within_s=40)
        figure(row, "ready again after the end of the trouble", time.monotonic() - healed, "s", at_most=15)
        await until(lambda: transaction_messages(stations.ledger, Class.ANSWERED) > answered, "answer", within_s=40)
        figure(row, "first answer after the end of the trouble", time.monotonic() - healed, "s", at_most=15)
        await stations.begun(STATIONS)
        findings = await stations.settled(prepared.strum, within_s=120)
    assert findings.clean, findings
    assert stations.ledger.counts["discarded"] == 0
    assert stations.ledger.counts["unanswered"] > 0, "the trouble hit nothing: the test proves nothing"
    assert transaction_messages(stations.ledger, Class.REFUSED) == 0


def _named(shard: int, count: int) -> list[str]:
    """Ids of stations of a shard."""
    return [name for name in (f"BARE-{n}" for n in range(200)) if shard_of_key(name, SHARDS) == shard][:count]


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_a_full_queue_lets_go_the_stations_of_its_shard_alone(prepared: Ground, figure: Figure) -> None:
    management = await prepared.strum.management().start()
    await prepared.strum.sign_in()
    async with pod(prepared, "edge", access_ttl_s=600, frame_log=False) as edge:
        bare = {shard: Bare(edge.url) for shard in range(SHARDS)}
        for shard, stations in bare.items():
            await stations.connect(*_named(shard, 10))
            stations.talk(0.5)
        await asyncio.sleep(3)
        known = {shard: _named(shard, 11)[-1] for shard in range(SHARDS)}
        for _ in range(2):  # the first time makes it known, the second is remembered
            for name in known.values():
                assert await _upgrade_status(prepared, edge, name) == 101
            await asyncio.sleep(2)
        await management.kill()
        full = [r"^strum\.diagnostics\.s0$", '{"max-length":10}', "--apply-to", "queues"]
        await prepared.broker.control("set_policy", "full", *full)
        began = time.monotonic()

        async def let_go() -> bool:
            return sum(bare[0].codes.values()) == 10

        figure("F8", "the shard's stations let go after", await came(let_go, "let go", within_s=60), "s", at_most=30)
        assert set(bare[0].codes) == {1013}
        answered = bare[1].answered.total()
        bare[1].latencies_s.clear()
        await asyncio.sleep(10)
        assert bare[1].answered.total() > answered + 50, "the other shard goes on"
        assert not bare[1].codes
        figure("F8", "p99 of the other shard meanwhile", percentile(bare[1].latencies_s, 0.99), "s", at_most=1)
        assert await edge.ready(), "one shard is open"
        assert await edge.metric("strum_ocpp_path_state", 'shard="0"') == OUTAGE
        assert await edge.metric("strum_ocpp_path_state", 'shard="1"') == 0
        for shard, status in ((0, 503), (1, 101)):
            assert await _upgrade_status(prepared, edge, known[shard]) == status
        await management.start()  # it takes from the queue: RabbitMQ asks for more only then, whatever its policy
        healed = time.monotonic()

        async def trusted() -> bool:
            return await edge.metric("strum_ocpp_path_state") == 0

        figure("F8", "shard open again after", await came(trusted, "open", within_s=40, since=healed), "s", at_most=15)
        assert time.monotonic() > began
        for stations in bare.values():
            await stations.end()


async def _upgrade_status(ground: Ground, edge: Pod, name: str) -> int:
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
        "Sec-WebSocket-Protocol": "ocpp1.6",
    }
    url = f"{edge.url}/{name}".replace("ws://", "http://")
    async with ground.strum.session.get(url, headers=headers) as response:
        if response.status == 503:
            assert 10 <= int(response.headers["Retry-After"]) <= 30
        return response.status


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_a_queue_that_was_deleted_is_noticed_and_its_stations_wait_for_it(
    prepared: Ground, figure: Figure
) -> None:
    management = await prepared.strum.management().start()
    await prepared.strum.sign_in()
    async with pod(prepared, "edge", access_ttl_s=600) as edge, charging(edge.url, stations=20, rate=0) as stations:
        await until(lambda: all(each.ready for each in stations.fleet.stations), "all connected", within_s=60)
        await asyncio.sleep(5)
        await management.kill()
        await prepared.broker.control("delete_queue", "strum.transactions.s0")
        deleted = time.monotonic()

        async def noticed() -> bool:
            return bool(edge.logged("queue_missing"))

        async def shard_given_up() -> bool:
            return await edge.metric("strum_ocpp_path_state", 'shard="0"') == OUTAGE

        figure("F9", "a deleted queue noticed after", await came(noticed, "noticed", within_s=20), "s", at_most=5)
        assert await edge.metric("strum_bus_queue_missing_total") > 0
        outage_s = await came(shard_given_up, "outage", within_s=30, since=deleted)
        figure("F9", "outage mode of its shard after", outage_s, "s", at_most=20)
        assert await edge.metric("strum_ocpp_path_state", 'shard="1"') == 0
        await management.start()
        back = time.monotonic()

        async def trusted() -> bool:
            return await edge.metric("strum_ocpp_path_state") == 0

        figure(
            "F9",
            "open again after it is declared",
            await came(trusted, "open", within_s=40, since=back),
            "s",
            at_most=15,
        )
        await until(lambda: all(each.ready for each in stations.fleet.stations), "all back", within_s=40)
        await asyncio.gather(*(each.plug_in_and_charge(id_token="TAG00001") for each in stations.fleet.stations[:10]))
        await asyncio.sleep(2)
        findings = await stations.settled(prepared.strum)
    assert findings.clean, findings
    assert findings.checked["stops"] == 10
    assert stations.ledger.counts["discarded"] == 0
    assert transaction_messages(stations.ledger, Class.REFUSED) == 0
