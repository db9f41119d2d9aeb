"""The fault proxy does what its faults say."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tests.faults.proxy import Fault, FaultProxy


@pytest.fixture
async def echo() -> AsyncIterator[FaultProxy]:
    """A proxy before a server that sends everything back."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(1 << 16):
            writer.write(piece)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, FaultProxy(server.sockets[0].getsockname()[1]) as proxy:
        yield proxy


async def said(proxy: FaultProxy, text: bytes, *, within_s: float = 2.0) -> bytes:
    """Say something on a new connection; what comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        writer.write(text)
        async with asyncio.timeout(within_s):
            return await reader.readexactly(len(text))
    finally:
        writer.transport.abort()


async def test_what_is_not_spoiled_passes(echo: FaultProxy) -> None:
    assert await said(echo, b"x" * 300_000) == b"x" * 300_000
    assert echo.bytes_passed == 600_000


async def test_slices_and_delays_change_no_byte(echo: FaultProxy) -> None:
    began = time.monotonic()
    with echo.spoiled("up", latency_s=0.01, slice_bytes=1):
        assert await said(echo, b"0123456789") == b"0123456789"
    assert time.monotonic() - began >= 0.1


async def test_a_slow_line_takes_its_time(echo: FaultProxy) -> None:
    began = time.monotonic()
    with echo.spoiled("down", bytes_per_s=10_000):
        await said(echo, b"x" * 2_000)
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize("fault", ["silent", "stopped"])
async def test_a_black_hole_of_one_direction_lets_nothing_through(echo: FaultProxy, direction: str, fault: str) -> None:
    with echo.spoiled(direction, **{fault: True}), pytest.raises(TimeoutError):  # type: ignore[arg-type]
        await said(echo, b"lost", within_s=0.3)


async def test_a_stopped_direction_goes_on_when_healed(echo: FaultProxy) -> None:
    echo.set(Fault(stopped=True), "up")
    waiting = asyncio.create_task(said(echo, b"later"))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    echo.heal()
    assert await waiting == b"later"


async def test_connections_can_be_reset_and_refused(echo: FaultProxy) -> None:
    with echo.spoiled("up", reset_share=1.0), pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await said(echo, b"never")
    echo.refusing = True
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await said(echo, b"never")
    echo.heal()
    assert await said(echo, b"again") == b"again"
