"""The outbox: said after the commit and only then, in order, at least once whatever dies in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from management_service import outbox
from management_service.databases import Database
from management_service.hosted import Hosted
from management_service.measuring import measure
from management_service.metrics import REGISTRY
from management_service.outbox import Relay, Relayed
from management_service.settings import ManagementSettings
from modules.kernel.module import NoSettings
from shared_contracts.bus import BusUnavailable, Delivery, Limits, Subscription, Unroutable
from shared_contracts.memory import MemoryBus
from shared_contracts.message import Envelope, pack
from tests.management_service.probe import Copied, execute, module, prepare, probing


class Recorder(MemoryBus):
    """Confirms what it is given, unless it is `broken` or for `strangers`; `held` keeps it from answering."""

    def __init__(self) -> None:
        super().__init__(Limits())
        self.said: list[str] = []
        self.broken = False
        self.strangers: set[str | None] = {"nobody"}
        self.held: asyncio.Event | None = None
        self.away = False

    @property
    def connected(self) -> bool:
        return not self.away

    def publish(
        self,
        envelope: Envelope,
        *,
        only: str | None = None,
        perishable: bool = False,
    ) -> asyncio.Future[None]:
        assert perishable, "it would go twice"

        async def confirm() -> None:
            if self.held is not None:
                await self.held.wait()
            if only in self.strangers:
                raise Unroutable(f"nobody keeps {only}")
            if self.broken:
                raise BusUnavailable("no broker")
            self.said.append(envelope.read(Copied).text)

        return asyncio.ensure_future(confirm())


@asynccontextmanager
async def _hosted(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Hosted, Recorder, AsyncEngine]]:
    await prepare(database, monkeypatch)
    connections, bus = _connections(database), Recorder()
    try:
        yield Hosted(module, connections, bus, NoSettings()), bus, connections.relaying
    finally:
        await connections.close()


def _connections(database: str) -> Database:
    return Database(database, ManagementSettings(database_url=database))


async def _say(hosted: Hosted, *words: str) -> None:
    async with hosted.work() as work:
        for word in words:
            work.publish(Copied(text=word))


async def _waiting(database: str) -> int:
    ((count,),) = await execute(database, "SELECT count(*) FROM probe.outbox")
    return int(count)


async def test_events_are_said_in_the_order_of_their_works(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "_BATCH", 3)
    async with _hosted(database, monkeypatch) as (first, bus, _):
        hosted = Hosted(module, first.database, bus, NoSettings())
        for start in range(0, 8, 2):
            await _say(hosted, str(start), str(start + 1))
        relayed = [await hosted.relay.relay_once() for _ in range(3)]

        assert relayed == [Relayed.SOME, Relayed.SOME, Relayed.ALL]
        assert bus.said == [str(number) for number in range(8)]
        assert await _waiting(database) == 0


async def test_large_events_are_said_though_together_they_are_more_than_the_bus_takes(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """80 MB wait: in one transaction they would never go."""
    async with _hosted(database, monkeypatch) as (first, _, engine):
        for number in range(20):
            await _say(first, f"{number:02}{'x' * 4_000_000}")
        bus, taken = MemoryBus(Limits()), list[str]()

        async def take(_: int, deliveries: tuple[Delivery, ...]) -> None:
            taken.extend(item.read(Copied).text[:2] for delivery in deliveries for item in delivery.envelopes)

        async def poison(body: bytes, reason: str) -> None:
            raise AssertionError(f"{reason}: {body[:200]!r}")

        bus.subscribe(Subscription("listener", None, take, poison))
        await bus.start()
        relay = Relay("probe", engine, bus)
        relayed = [await relay.relay_once() for _ in range(7)]  # three at a time

        assert relayed == [Relayed.SOME] * 6 + [Relayed.ALL]
        assert taken == [f"{number:02}" for number in range(20)]
        await bus.stop()


async def test_what_is_rolled_back_is_not_said(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with _hosted(database, monkeypatch) as (hosted, bus, _):

        async def fail() -> None:
            async with hosted.work() as work:
                work.publish(Copied(text="never"))
                raise RuntimeError

        with pytest.raises(RuntimeError):
            await fail()
        await hosted.relay.relay_once()

        assert bus.said == []


async def test_what_the_bus_did_not_confirm_is_said_again(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with _hosted(database, monkeypatch) as (hosted, bus, _):
        await _say(hosted, "a", "b")
        bus.broken = True
        with pytest.raises(BusUnavailable):
            await hosted.relay.relay_once()
        assert await _waiting(database) == 2
        bus.broken = False
        await hosted.relay.relay_once()

        assert bus.said == ["a", "b"]


async def test_what_nobody_keeps_is_set_aside_and_holds_nothing_up(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _hosted(database, monkeypatch) as (hosted, bus, _):
        async with hosted.work() as work:
            work.send_again(Envelope.of(Copied(text="lost")), to_module="nobody")
        await _say(hosted, "a")
        await hosted.relay.relay_once()

        assert bus.said == ["a"]
        assert await _waiting(database) == 0
        ((key, station_id, body, reason),) = await execute(
            database, "SELECT key, station_id, convert_from(body, 'UTF8'), reason FROM probe.quarantine"
        )
        assert (key, station_id) == (Copied.key, "CS1")
        assert Copied.model_validate_json(body).text == "lost"
        assert "nobody" in reason


async def test_what_nobody_keeps_waits_with_the_others_while_there_is_no_broker(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _hosted(database, monkeypatch) as (hosted, bus, _):
        async with hosted.work() as work:
            work.send_again(Envelope.of(Copied(text="lost")), to_module="nobody")
        await _say(hosted, "a")
        bus.broken = True
        with pytest.raises(BusUnavailable):
            await hosted.relay.relay_once()

        assert await _waiting(database) == 2
        assert await execute(database, "SELECT id FROM probe.quarantine") == []


async def test_what_a_process_left_when_it_died_is_said_by_the_next(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It died after the commit and before the relay, and once more between the confirm and the delete."""
    async with _hosted(database, monkeypatch) as (hosted, bus, _):
        await _say(hosted, "a", "b")
        bus.held = asyncio.Event()
        dying = asyncio.create_task(hosted.relay.relay_once())
        await asyncio.sleep(0.2)
        await execute(
            database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        bus.held.set()
        with pytest.raises(DBAPIError):
            await dying
        assert bus.said == ["a", "b"]
    async with probing(database, monkeypatch) as strum:
        assert [event.text for event in await strum.hear(Copied, 2)] == ["a", "b"]
        async with asyncio.timeout(5):
            while await _waiting(database):
                await asyncio.sleep(0.02)


async def test_one_process_at_a_time_relays(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with _hosted(database, monkeypatch) as (hosted, bus, engine):
        other = Relay("probe", engine, bus)
        await _say(hosted, "a")
        bus.held = asyncio.Event()
        relaying = asyncio.create_task(hosted.relay.relay_once())
        await asyncio.sleep(0.2)
        assert await other.relay_once() is Relayed.ELSEWHERE
        bus.held.set()
        assert await relaying is Relayed.ALL

        assert bus.said == ["a"]


async def test_a_process_without_a_broker_leaves_the_outbox_to_the_others(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _hosted(database, monkeypatch) as (hosted, bus, engine):
        cut_off = Recorder()
        cut_off.away, cut_off.held = True, asyncio.Event()
        await _say(hosted, "a")
        relaying = asyncio.create_task(Relay("probe", engine, cut_off).run())
        await asyncio.sleep(0.2)
        relayed = await hosted.relay.relay_once()
        relaying.cancel()
        await asyncio.wait([relaying])

        assert (relayed, bus.said) == (Relayed.ALL, ["a"])


async def test_what_is_committed_while_another_process_relays_is_said_soon(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _hosted(database, monkeypatch) as (hosted, bus, _):
        other = Hosted(module, hosted.database, bus, NoSettings())
        await _say(hosted, "a")
        bus.held = asyncio.Event()
        relaying = asyncio.create_task(hosted.relay.relay_once())
        await asyncio.sleep(0.2)
        running = asyncio.create_task(other.relay.run())
        await _say(other, "b")
        await asyncio.sleep(0.2)
        bus.held.set()
        await relaying
        async with asyncio.timeout(1.0):
            while bus.said != ["a", "b"]:
                await asyncio.sleep(0.01)
        other.relay.end()
        await running


async def test_the_age_of_what_waits_is_told_whatever_is_sent_again_before_it(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event that is sent again bears the id that it once had: it may be a year old, or be none of ours."""
    async with _hosted(database, monkeypatch) as (hosted, _, _):
        old = replace(Envelope.of(Copied(text="again")), id=f"{1:032x}")
        for envelope, only in ((old, "probe"), (replace(old, id="odd"), None), (Envelope.of(Copied(text="new")), None)):
            body = pack([envelope])
            await execute(
                database, 'INSERT INTO probe.outbox (envelope, "only") VALUES (:body, :only)', body=body, only=only
            )
        measured = asyncio.create_task(measure(hosted, module))
        async with asyncio.timeout(5):
            while REGISTRY.get_sample_value("strum_outbox_waiting", {"module": "probe"}) != 3:
                await asyncio.sleep(0.01)
        assert not measured.done()
        assert 0 <= (REGISTRY.get_sample_value("strum_outbox_oldest_seconds", {"module": "probe"}) or 0) < 60
        measured.cancel()
