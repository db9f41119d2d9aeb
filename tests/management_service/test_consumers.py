"""A batch in one transaction; message by message where the data is bad; waiting where the trouble is ours."""

import asyncio

import pytest

from shared_contracts.bus import Delivery
from shared_contracts.message import Envelope
from tests.harness import Running
from tests.management_service.probe import Copied, ManyNoted, Noted, Probe, execute, probing, texts


async def _deliver(strum: Running, *deliveries: Delivery) -> None:
    (consumer,) = strum.management._consumers
    await consumer.take(0, deliveries)


def _delivery(delivery_id: str, *events: Noted | ManyNoted) -> Delivery:
    return Delivery(delivery_id, tuple(Envelope.of(event) for event in events))


async def _quarantined(database: str) -> list[tuple[str, str, str]]:
    rows = await execute(database, "SELECT key, station_id, reason FROM probe.quarantine ORDER BY id")
    return [tuple(row) for row in rows]


async def test_a_probe_leaves_nothing_behind(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        for shard in range(strum.bus.limits.shards):
            await strum.bus.probe("probe", shard)
        await strum.publish(Noted(text="a"))
        remembered = await execute(database, "SELECT delivery_id FROM probe.inbox")

        assert len(remembered) == 1


async def test_a_bad_message_is_set_aside_and_its_neighbours_are_not(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with probing(database, monkeypatch) as strum:
        await _deliver(
            strum,
            _delivery("1", Noted(text="a"), Noted(text="b")),
            _delivery("2", Noted(text="c"), Noted(text="bad"), Noted(text=None), Noted(text="d")),
            _delivery("3", Noted(text="e")),
        )

        assert await texts(database) == ["a", "b", "c", "d", "e"]
        aside = await _quarantined(database)
        assert [row[:2] for row in aside] == [("probe.noted.v1", "CS1")] * 2
        assert "cannot be stored" in aside[0][2]
        assert "NotNullViolation" in aside[1][2]
        (body,) = await execute(database, "SELECT body FROM probe.quarantine ORDER BY id LIMIT 1")
        assert Envelope.of(Noted(text="bad")).payload == body[0]
        assert [event.text for event in await strum.hear(Copied, 5)] == ["a", "b", "c", "d", "e"]


async def test_a_bad_message_of_a_set_is_set_aside_alone(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        await _deliver(strum, _delivery("1", *(ManyNoted(text=text) for text in ("a", None, "b"))))

        assert await texts(database) == ["a", "b"]
        assert len(await _quarantined(database)) == 1


async def test_a_payload_that_does_not_fit_the_contract_is_set_aside(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with probing(database, monkeypatch) as strum:
        odd = [
            Envelope(f"e{n}", Noted.key, "CS1", Envelope.of(Noted(text="x")).occurred_at, payload)
            for n, payload in enumerate((b"{}", b"[]", b'{"text": 5}', b"nonsense"))
        ]
        await _deliver(strum, Delivery("1", (*odd, Envelope.of(Noted(text="good")))))

        assert await texts(database) == ["good"]
        assert len(await _quarantined(database)) == 4


async def test_a_delivery_that_comes_again_changes_nothing(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        first, second = _delivery("1", Noted(text="a"), Noted(text="bad")), _delivery("2", Noted(text="b"))
        await _deliver(strum, first)
        await _deliver(strum, first, first, second)
        await _deliver(strum, second)

        assert await texts(database) == ["a", "b"]
        assert len(await _quarantined(database)) == 1


async def test_two_consumers_of_one_delivery_store_it_once(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        delivery = _delivery("1", Noted(text="a"))
        await asyncio.gather(*(_deliver(strum, delivery) for _ in range(4)))

        assert await texts(database) == ["a"]


async def test_a_lost_connection_costs_no_message(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        await _deliver(strum, _delivery("1", Noted(text="a"), Noted(text="kill 1"), Noted(text="b")))
        await _deliver(strum, _delivery("2", Noted(text="bad"), Noted(text="kill 2"), Noted(text="c")))

        assert await texts(database) == ["a", "kill 1", "b", "kill 2", "c"]
        assert len(await _quarantined(database)) == 1
        assert len(await strum.hear(Copied, 5)) == 5


async def test_a_database_that_is_away_pauses_the_consumer_and_is_not_ready(
    database: str, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    async with probing(database, monkeypatch) as strum:
        await _allow_connections(postgres_url, database, allowed=False)
        taking = asyncio.create_task(strum.publish(*(Noted(text=str(number)) for number in range(50))))
        (consumer,) = strum.management._consumers
        async with asyncio.timeout(5):
            while not consumer.paused:
                await asyncio.sleep(0.01)
        assert await _readiness(strum) == (
            503,
            {"started": True, "bus": True, "consumers": False, "database": False},
        )
        assert (await strum.api().get("/notes"))[0] == 503
        await _allow_connections(postgres_url, database, allowed=True)
        async with asyncio.timeout(20):
            await taking

        assert await texts(database) == [str(number) for number in range(50)]
        assert await _quarantined(database) == []
        assert (await _readiness(strum))[0] == 200


async def _readiness(strum: Running) -> tuple[int, dict[str, bool]]:
    async with strum.session.get(f"http://127.0.0.1:{strum.management.port}/readyz") as response:
        return response.status, (await response.json())["checks"]


async def _allow_connections(postgres_url: str, database: str, *, allowed: bool) -> None:
    name = database.rpartition("/")[2]
    server = postgres_url.replace("postgresql://", "postgresql+asyncpg://")
    await execute(server, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {allowed}')
    if not allowed:
        await execute(server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name", name=name)


async def test_a_body_that_is_none_of_ours_is_kept(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        (consumer,) = strum.management._consumers
        await consumer.set_poison_aside(b"\x00\xff", "no batch: \0 in it")

        ((body, reason),) = await execute(database, "SELECT body, reason FROM probe.quarantine")
        assert (body, reason) == (b"\x00\xff", "no batch:  in it")


@pytest.mark.parametrize("code", ["40001", "40P01", "53100", "53300", "57014", "57P01", "25006", "55P03", "08006"])
async def test_what_is_our_own_trouble_is_tried_again(
    database: str, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    async with probing(database, monkeypatch) as strum:
        await _deliver(strum, _delivery("1", Noted(text="a"), Noted(text=code), Noted(text="b")))

        assert await texts(database) == ["a", code, "b"]
        assert await _quarantined(database) == []


@pytest.mark.parametrize("code", ["22003", "22021", "23502", "23505"])
async def test_what_the_data_is_to_blame_for_is_set_aside(
    database: str, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """The batch fails with it, and then the message by itself."""
    async with probing(database, monkeypatch) as strum:
        monkeypatch.setattr(Probe, "killed", Forgetful())
        await _deliver(strum, _delivery("1", Noted(text="a"), Noted(text=code), Noted(text="b")))

        assert await texts(database) == ["a", "b"]
        assert len(await _quarantined(database)) == 1


class Forgetful(set[str]):
    """Whatever was added is forgotten: what is to happen once happens always."""

    def __contains__(self, _: object) -> bool:
        return False


async def test_a_message_that_stands_still_is_isolated(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch, consumer_stalled_after_s=0.5) as strum:
        async with asyncio.timeout(20):
            await _deliver(strum, _delivery("1", Noted(text="a"), Noted(text="hang"), Noted(text="b")))

        assert await texts(database) == ["a", "b"]
        ((_, _, reason),) = await _quarantined(database)
        assert "StoodStill" in reason
        assert [event.text for event in await strum.hear(Copied, 2)] == ["a", "b"]


async def test_one_message_that_stands_still_takes_no_replica_out_of_service(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither database nor bus is waited for: the API and the other shards are well."""
    async with probing(database, monkeypatch, consumer_stalled_after_s=0.5) as strum:
        (consumer,) = strum.management._consumers
        taking = asyncio.create_task(_deliver(strum, _delivery("1", Noted(text="hang"))))
        async with asyncio.timeout(20):
            while consumer.shards[0].stalls < 2:
                await asyncio.sleep(0.01)
            assert not taking.done()
            assert (await _readiness(strum))[0] == 200
            await taking


async def test_what_stood_still_once_goes_on_in_order(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch, consumer_stalled_after_s=0.5) as strum:
        (consumer,) = strum.management._consumers
        taking = asyncio.create_task(
            consumer.take(1, (_delivery("1", Noted(text="a"), Noted(text="hang once"), Noted(text="b")),))
        )
        await asyncio.sleep(0.3)
        assert 0.2 < consumer.shards[1].in_work_s < 0.5
        assert consumer.shards[1].oldest_s > 0.2
        async with asyncio.timeout(10):
            await taking

        assert await texts(database) == ["a", "hang once", "b"]
        assert await _quarantined(database) == []
        assert (consumer.shards[1].stalls, consumer.shards[1].in_work_s, consumer.paused) == (1, 0.0, False)


async def test_what_is_slow_by_itself_gets_its_time_message_by_message(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes a fifth of the limit, all together twice as long: nothing stands still."""
    async with probing(database, monkeypatch, consumer_stalled_after_s=0.5) as strum:
        slow = [f"slow {number}" for number in range(10)]
        async with asyncio.timeout(15):
            await _deliver(strum, _delivery("1", *(Noted(text=text) for text in ("bad", *slow))))

        assert await texts(database) == slow
        ((_, _, reason),) = await _quarantined(database)
        assert "cannot be stored" in reason


async def test_a_shard_that_waits_holds_no_other_up(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch, consumer_stalled_after_s=5) as strum:
        (consumer,) = strum.management._consumers
        hanging = asyncio.create_task(consumer.take(0, (_delivery("1", Noted(text="hang once")),)))
        await asyncio.sleep(0.1)
        await consumer.take(1, (_delivery("2", Noted(text="a")),))

        assert await texts(database) == ["a"]
        assert (await _metric(strum, "strum_consumer_in_work_seconds", shard="0")) > 0
        assert (await _metric(strum, "strum_consumer_in_work_seconds", shard="1")) == 0
        hanging.cancel()
        await asyncio.gather(hanging, return_exceptions=True)


async def _metric(strum: Running, name: str, **labels: str) -> float:
    async with strum.session.get(f"http://127.0.0.1:{strum.management.port}/metrics") as response:
        lines = (await response.text()).splitlines()
    wanted = [line for line in lines if line.startswith((f"{name}{{", f"{name} "))]
    return next(
        float(line.rpartition(" ")[2])
        for line in wanted
        if all(f'{label}="{value}"' in line for label, value in labels.items())
    )


async def test_what_many_handle_says_whose_message_it_follows(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        (consumer,) = strum.management._consumers
        said = [
            Envelope.of(ManyNoted(station_id=station, text=f"say {station}"), trace=f"trace of {station}")
            for station in ("CS1", "CS2")
        ]
        await consumer.take(0, (Delivery("1", tuple(said)),))
        await strum.hear(Copied, 2)

        heard = {event.station_id: (event.cause, event.trace) for event in strum.events if event.key == Copied.key}
        assert heard == {event.station_id: (event.id, event.trace) for event in said}


async def test_the_counters_of_the_bus_are_among_the_metrics(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        await strum.publish(Noted(text="a"), Noted(text="b"))

        assert await _metric(strum, "strum_bus_published_total") >= 2
        assert await _metric(strum, "strum_bus_ready") == 1
        assert await _metric(strum, "strum_outbox_waiting", module="probe") >= 0
