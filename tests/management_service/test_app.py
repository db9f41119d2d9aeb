"""Starting, stopping, and saying how it is."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from management_service.app import Management
from management_service.settings import ManagementSettings, settings_type
from modules.kernel.http import Call, EventStream, NoQuery, ServerEvent, get
from modules.kernel.module import Module, handle
from modules.kernel.work import ModuleContext, Work
from shared_contracts.bus import Limits
from shared_contracts.memory import MemoryBus
from shared_contracts.message import Envelope
from tests.harness import running
from tests.management_service import probe
from tests.management_service.probe import Noted, NoteView, execute, prepare, texts


class Slow:
    """A resource that takes its time."""

    closed = False


@asynccontextmanager
async def _open_slowly(_: ModuleContext) -> AsyncIterator[Mapping[type, object]]:
    slow = Slow()
    await asyncio.sleep(0.3)
    yield {Slow: slow}
    slow.closed = True


async def _note_with_resource(event: Noted, work: Work) -> None:
    assert not work.resource(Slow).closed
    await probe.note(event, work)


async def _slow(call: Call[NoQuery, None], work: Work) -> NoteView:
    """Answer after a while."""
    await asyncio.sleep(0.4)
    assert not work.resource(Slow).closed
    return NoteView(id=1, text="done", revision=1)


async def _stream(call: Call[NoQuery, None], work: Work) -> EventStream:
    """Stream for ever."""

    async def events() -> AsyncIterator[ServerEvent]:
        yield ServerEvent(data="1", id="1", event="first")
        await asyncio.Event().wait()

    return EventStream(events())


SLOW: Module = replace(
    probe.module,
    routes=(*probe.module.routes, get("/slow", _slow, None), get("/stream", _stream, None)),
    handlers=(handle(Noted, _note_with_resource),),
    resources=_open_slowly,
)


def _management(database: str) -> Management:
    values: dict[str, Any] = {"database_url": database, "port": 0, "database_pool_size": 5}
    return Management(settings_type()(**values), MemoryBus(Limits()), modules=("probe",), migrate=False)


async def _get(session: aiohttp.ClientSession, management: Management, path: str) -> tuple[int, Any]:
    async with session.get(f"http://127.0.0.1:{management.port}{path}") as answer:
        return answer.status, await answer.json()


async def test_what_waits_at_the_start_finds_the_resources_open(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await prepare(database, monkeypatch, SLOW)
    management = _management(database)
    stored = management.bus.publish(Envelope.of(Noted(text="waiting")))
    async with aiohttp.ClientSession() as session:
        starting = asyncio.create_task(management.start())
        while management.port == 0:
            await asyncio.sleep(0.01)
        assert (await _get(session, management, "/livez"))[0] == 200
        assert (await _get(session, management, "/readyz"))[0] == 503
        status, problem = await _get(session, management, "/api/v1/slow")
        assert (status, problem["code"]) == (503, "unavailable")
        await starting
        await stored
        assert (await _get(session, management, "/readyz"))[0] == 200
        assert (await _get(session, management, "/api/v1/slow"))[0] == 200
        await management.stop()

    assert await texts(database) == ["waiting"]
    assert await execute(database, "SELECT reason FROM probe.quarantine") == []


class _HesitantBus(MemoryBus):
    """Lets requests through once it is told to."""

    def __init__(self) -> None:
        super().__init__(Limits())
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def request(self, envelope: Envelope, *, timeout: float) -> bytes:
        self.asked.set()
        await self.go.wait()
        return await super().request(envelope, timeout=timeout)


async def test_it_is_not_ready_before_the_administrator_can_sign_in(database: str) -> None:
    bus = _HesitantBus()
    values = {
        "database_url": database,
        "port": 0,
        "admin_email": "a@example.org",
        "admin_password": "long enough, it is",
    }
    management = Management(settings_type()(**values), bus, modules=("users",), migrate=False)
    async with aiohttp.ClientSession() as session:
        starting = asyncio.create_task(management.start())
        await bus.asked.wait()
        status, body = await _get(session, management, "/readyz")
        assert (status, body["checks"]["started"]) == (503, False)
        bus.go.set()
        await starting
        assert (await _get(session, management, "/readyz"))[0] == 200
        await management.stop()


async def test_it_waits_for_migrations_that_somebody_else_makes_later(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await prepare(database, monkeypatch, SLOW)
    await execute(database, "ALTER TABLE probe.inbox RENAME TO not_there_yet")
    management = _management(database)
    async with aiohttp.ClientSession() as session:
        starting = asyncio.create_task(management.start())
        await asyncio.sleep(1.5)
        assert not starting.done()
        assert "waiting_for_migrations" in capsys.readouterr().out
        assert (await _get(session, management, "/readyz"))[0] == 503
        await execute(database, "ALTER TABLE probe.not_there_yet RENAME TO inbox")
        async with asyncio.timeout(5):
            await starting
        assert (await _get(session, management, "/readyz"))[0] == 200
    await management.stop()


async def test_a_request_under_way_is_answered_before_the_service_stops(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prepare(database, monkeypatch, SLOW)
    management = _management(database)
    await management.start()
    async with aiohttp.ClientSession() as session:
        request = asyncio.create_task(_get(session, management, "/api/v1/slow"))
        await asyncio.sleep(0.1)
        await management.stop()
        assert (await request)[0] == 200
        with pytest.raises(aiohttp.ClientConnectionError):
            await _get(session, management, "/livez")


async def test_a_stream_ends_when_the_service_stops(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await prepare(database, monkeypatch, SLOW)
    management = _management(database)
    await management.start()
    url = f"http://127.0.0.1:{management.port}/api/v1/stream"
    async with aiohttp.ClientSession() as session, session.get(url) as stream:
        assert stream.content_type == "text/event-stream"
        said = b""
        while b"data: 1\n\n" not in said:
            said += await stream.content.readany()
        assert said.endswith(b"id: 1\nevent: first\ndata: 1\n\n")
        async with asyncio.timeout(3):
            await management.stop()
            assert await stream.content.read() == b""


async def test_a_database_that_is_not_there_yet_is_waited_for(
    database: str, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    await prepare(database, monkeypatch)
    server = postgres_url.replace("postgresql://", "postgresql+asyncpg://")
    name = database.rpartition("/")[2]
    await execute(server, f'ALTER DATABASE "{name}" RENAME TO "{name}_away"')
    management = _management(database)
    async with aiohttp.ClientSession() as session:
        starting = asyncio.create_task(management.start())
        while management.port == 0:
            await asyncio.sleep(0.01)
        status, body = await _get(session, management, "/readyz")
        assert (status, body["checks"]["database"]) == (503, False)
        assert not starting.done()
        await execute(server, f'ALTER DATABASE "{name}_away" RENAME TO "{name}"')
        async with asyncio.timeout(10):
            await starting
        assert (await _get(session, management, "/readyz"))[0] == 200
    await management.stop()


def test_a_module_that_does_not_exist_is_refused() -> None:
    with pytest.raises(KeyError, match="nonsense"):
        Management(ManagementSettings(), MemoryBus(), modules=("nonsense",))


async def test_old_deliveries_and_answers_and_what_was_dealt_with_are_forgotten(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prepare(database, monkeypatch)
    await execute(
        database,
        "INSERT INTO probe.inbox SELECT 'old' || n, now() - interval '15 days' FROM generate_series(1, 6000) n "
        "UNION ALL SELECT 'new', now() - interval '13 days'",
    )
    await execute(
        database,
        "INSERT INTO probe.idempotency (key, fingerprint, created_at) "
        "VALUES ('old', '', now() - interval '3 days'), ('new', '', now() - interval '1 day')",
    )
    await execute(
        database,
        "INSERT INTO probe.quarantine (body, reason, state, changed_at) VALUES "
        "('', 'old', 'replayed', now() - interval '91 days'), ('', 'old', 'discarded', now() - interval '91 days'), "
        "('', 'new', 'discarded', now() - interval '89 days'), ('', 'waits', 'waiting', now() - interval '900 days')",
    )
    async with running(database, "probe"), asyncio.timeout(5):
        while await execute(database, "SELECT 1 FROM probe.quarantine WHERE reason = 'old'"):
            await asyncio.sleep(0.02)

    assert await execute(database, "SELECT delivery_id FROM probe.inbox") == [("new",)]
    assert await execute(database, "SELECT key FROM probe.idempotency") == [("new",)]
    assert await execute(database, "SELECT reason FROM probe.quarantine ORDER BY id") == [("new",), ("waits",)]


async def test_the_metrics_tell_of_requests_and_of_a_consumer_that_waits(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prepare(database, monkeypatch)
    async with running(database, "probe") as strum:
        await strum.api().get("/notes/none")
        async with strum.session.get(f"http://127.0.0.1:{strum.management.port}/metrics") as answer:
            text = await answer.text()

    assert 'strum_http_request_seconds_count{method="GET",path="/notes/{note}",status="404"}' in text
    assert 'strum_consumer_paused{module="probe",shard="0"} 0.0' in text
    assert "strum_event_loop_lag_seconds" in text
