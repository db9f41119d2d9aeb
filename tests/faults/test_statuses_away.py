"""F18: the status store is down, busy, slow or silent. Events and charges do not wait for it; then the latest holds."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from modules.diagnostics.opened import Opened
from modules.diagnostics.status_writer import StatusWriter
from shared_contracts.authorization import JudgeToken, TokenStatus
from shared_contracts.message import R, Request
from shared_contracts.stations import ConnectorStatus, StatusReported
from shared_contracts.transactions import TransactionEnded, TransactionStarted
from tests.faults.proxy import FaultProxy
from tests.figures import Figure
from tests.harness import Running, running
from tests.modules.transactions.messages import start, stop
from tests.services.azurite import NodeMissing, PrivateAzurite

STATIONS = 20
REPEATS = 60
_MODULES = ("diagnostics", "transactions", "authorization")
_ANYBODY = {"accept_unknown_tokens": True}
_503 = b"HTTP/1.1 503 Server Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

Fault = Callable[[FaultProxy], Any]


@asynccontextmanager
async def busy(proxy: FaultProxy) -> AsyncIterator[None]:
    """Every request is answered with 503, as by an account that has too much to do."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(_503)
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        target, proxy.target = proxy.target, server.sockets[0].getsockname()[1]
        proxy.cut(reset=True)
        yield
        proxy.target = target


@asynccontextmanager
async def down(proxy: FaultProxy) -> AsyncIterator[None]:
    """Connections are refused, and those there were are gone."""
    proxy.refusing = True
    proxy.cut(reset=True)
    yield
    proxy.heal()


@asynccontextmanager
async def slow(proxy: FaultProxy) -> AsyncIterator[None]:
    """Every answer takes ten seconds."""
    with proxy.spoiled("down", latency_s=10.0):
        yield


@asynccontextmanager
async def silent(proxy: FaultProxy) -> AsyncIterator[None]:
    """Nothing is ever answered."""
    with proxy.spoiled("down", silent=True):
        yield
    proxy.cut(reset=True)


@pytest.mark.long
@pytest.mark.timeout(240)
@pytest.mark.parametrize("fault", [down, busy, slow, silent])
async def test_events_and_charges_do_not_wait_for_the_status_store(
    database: str, tmp_path: Path, figure: Figure, fault: Fault
) -> None:
    async with stored_in_azure(database, tmp_path) as (strum, proxy):
        await report(strum, ConnectorStatus.AVAILABLE)
        await shown(strum, "available", within_s=20)
        under_way = (await strum.ask(start(station_id="BEGUN-BEFORE"))).number
        async with fault(proxy):
            began = time.monotonic()
            for _ in range(REPEATS):
                await report(strum, ConnectorStatus.CHARGING)
            await report(strum, ConnectorStatus.FAULTED)
            figure("F18", f"events stored while it is {fault.__name__}", time.monotonic() - began, "s", at_most=20)
            slowest_s = await charges_meanwhile(strum, under_way)
            figure("F18", f"slowest answer about a charge while it is {fault.__name__}", slowest_s, "s", at_most=2)
            await asyncio.sleep(2.0)
            assert await lag_s(strum) > 1.0
            assert len(await writer_of(strum)._latest.changed()) == STATIONS, "memory grows with what is reported"
            _, page = await strum.api().get("/events", limit=500, key=StatusReported.key)
            assert len(page["items"]) == 500
        began = time.monotonic()
        await shown(strum, "faulted", within_s=60)
        figure("F18", f"the latest shown after it was {fault.__name__}", time.monotonic() - began, "s", at_most=45)
        async with asyncio.timeout(30):
            while await lag_s(strum) > 1.0:
                await asyncio.sleep(0.2)
        assert await writer_of(strum)._latest.changed() == []


@asynccontextmanager
async def stored_in_azure(database: str, directory: Path) -> AsyncIterator[tuple[Running, FaultProxy]]:
    """The modules that a charge needs and the diagnostics module, its statuses in Azurite behind a proxy."""
    azurite = PrivateAzurite(directory / "azurite")
    try:
        await azurite.start()
    except NodeMissing as missing:
        pytest.skip(str(missing))
    try:
        port = int(re.search(r":(\d+)/", azurite.connection_string)[1])  # type: ignore[index]  # it has one
        async with FaultProxy(port) as proxy:
            url = azurite.connection_string.replace(f":{port}/", f":{proxy.port}/")
            async with running(database, *_MODULES, authorization=_ANYBODY, diagnostics=_settings(url)) as strum:
                yield strum, proxy
    finally:
        await azurite.stop()


def _settings(url: str) -> dict[str, Any]:
    return {"status_store_url": url, "flush_interval_s": 0.1}


async def report(strum: Running, state: ConnectorStatus) -> None:
    """Every station reports the state of its connector; returns when the events are stored."""
    now = datetime.now(UTC)
    await strum.publish(
        *(
            StatusReported(station_id=f"CS{number}", connector_id=1, status=state, raw_status=state, reported_at=now)
            for number in range(STATIONS)
        )
    )


async def charges_meanwhile(strum: Running, under_way: int) -> float:
    """End a charge that is under way, and begin and end another; returns what the slowest answer took, in seconds."""
    took: list[float] = []

    async def asked(request: Request[R]) -> R:
        began = time.monotonic()
        answer = await strum.ask(request)
        took.append(time.monotonic() - began)
        return answer

    judged = await asked(JudgeToken(station_id="BEGUN-BEFORE", id_token="Ab1"))
    assert judged.status is TokenStatus.ACCEPTED
    opened = await asked(start(station_id="BEGUN-MEANWHILE"))
    assert opened.status is TokenStatus.ACCEPTED
    for station_id, number in (("BEGUN-BEFORE", under_way), ("BEGUN-MEANWHILE", opened.number)):
        await asked(stop(number, station_id=station_id))
        _, page = await strum.api().get("/transactions", station_id=station_id)
        (shown_as,) = page["items"]
        assert (shown_as["state"], shown_as["energy_wh"]) == ("finished", 7000)
    await strum.hear(TransactionStarted, 2)
    assert {ended.station_id for ended in await strum.hear(TransactionEnded, 2)} == {"BEGUN-BEFORE", "BEGUN-MEANWHILE"}
    return max(took)


async def shown(strum: Running, state: str, *, within_s: float) -> None:
    """Wait until the store has this state of every station, and no other."""
    store = opened_by(strum).statuses
    found: list[Any] = []
    async with asyncio.timeout(within_s):
        while len(found) != STATIONS or {status.state for status in found} != {state}:
            await asyncio.sleep(0.2)
            try:
                found = await store.page(kind="connector", state=None, after=None, limit=100)
            except Exception:  # the store is still on its way back
                continue


def writer_of(strum: Running) -> StatusWriter:
    """What has the statuses that are not written yet."""
    return opened_by(strum).writer


def opened_by(strum: Running) -> Opened:
    """What the diagnostics module has opened."""
    opened = strum.management.hosted[_MODULES.index("diagnostics")].resources[Opened]
    assert isinstance(opened, Opened)
    return opened


async def lag_s(strum: Running) -> float:
    """What the metric says."""
    async with strum.session.get(f"http://127.0.0.1:{strum.management.port}/metrics") as response:
        text = await response.text()
    return float(re.search(r"^strum_status_lag_seconds (\S+)$", text, re.MULTILINE)[1])  # type: ignore[index]
