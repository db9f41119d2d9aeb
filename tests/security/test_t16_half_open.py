"""T16 before the upgrade: slow, half-open and oversized requests are bounded and timed out, and others come in."""

import asyncio
import ssl
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.communication_service.edge import Edge, edge, until
from tests.communication_service.stations import RawSocket
from tests.communication_service.test_admission import basic, locked
from tests.security.dialling import connected, knock
from tests.security.pki import Authority, client

HONEST, ATTACKER = "127.0.0.2", "127.0.0.3"
RIGHT = {"Authorization": basic("CS1", b"secret")}
BEGINNING = b"GET /ocpp/CS1 HTTP/1.1\r\nHost: x\r\n"


@asynccontextmanager
async def half_open(port: int, count: int, said: bytes = BEGINNING) -> AsyncIterator[list[RawSocket]]:
    """Connections that began a request and leave it so."""
    sockets = []
    try:
        for _ in range(count):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(ATTACKER, 0))
            sockets.append(RawSocket(reader, writer))
            writer.write(said)
        yield sockets
    finally:
        for socket in sockets:
            socket.writer.transport.abort()


async def open_ones(sockets: list[RawSocket]) -> int:
    """How many the server has not ended."""
    await asyncio.sleep(0)
    return sum(not socket.reader.at_eof() and socket.reader.exception() is None for socket in sockets)


async def shake(socket: RawSocket, context: ssl.SSLContext) -> None:
    """Go through the handshake of TLS, and never answer anything that comes after it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    finished = False
    while not finished:
        try:
            tls.do_handshake()
            finished = True
        except ssl.SSLWantReadError:
            pass
        socket.writer.write(outgoing.read())
        if not finished:
            incoming.write(await socket.reader.read(65536) or pytest.fail("the handshake was ended"))


async def gone(sockets: list[RawSocket], within_s: float) -> None:
    """Wait until the server has ended all of them."""
    async with asyncio.timeout(within_s):
        await asyncio.gather(*(socket.closed(within_s) for socket in sockets))


async def median_s(e: Edge, times: int = 30) -> float:
    """How long an honest station takes to come in."""
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        assert (await knock(e, HONEST, **RIGHT))[0] == 101
        took.append(time.perf_counter() - begun)
    return statistics.median(took)


async def test_hundreds_of_half_open_requests_are_timed_out_and_harm_nobody() -> None:
    async with edge(modules=locked(), open_timeout_s=1.5) as e:
        alone_s = await median_s(e)
        async with half_open(e.communication.port, 400) as sockets:
            assert await median_s(e) <= 2 * alone_s + 0.005
            await gone(sockets, within_s=4)


async def test_a_request_that_trickles_in_gets_no_more_time() -> None:
    async with edge(modules=locked(), open_timeout_s=1.0) as e, half_open(e.communication.port, 50) as sockets:
        begun = time.monotonic()
        while await open_ones(sockets) and time.monotonic() - begun < 5:
            for socket in sockets:
                socket.writer.write(b"X-A: b\r\n")
            await asyncio.sleep(0.1)

        assert await open_ones(sockets) == 0
        assert time.monotonic() - begun < 3


async def test_of_too_many_half_open_connections_the_oldest_make_room() -> None:
    limited = edge(modules=locked(), half_open_connections=100)
    async with limited as e, half_open(e.communication.port, 300) as sockets:
        await until(lambda: sum(not socket.reader.at_eof() for socket in sockets) <= 100)
        assert (await knock(e, HONEST, **RIGHT))[0] == 101
        assert not sockets[-1].reader.at_eof()


@pytest.mark.parametrize("begun", [False, True], ids=["before its handshake", "after its handshake"])
async def test_who_makes_room_is_ended_over_tls_as_well(tmp_path: Path, begun: bool) -> None:
    """Within a handshake there is no connection of HTTP yet that could be ended, and after it a peer may be silent."""
    authority = Authority(tmp_path)
    tls = {"port": 0, "certificate_files": str(authority.server().file)}
    secured = edge(modules=locked(), half_open_connections=5, open_timeout_s=60, ocpp_tls=tls)
    async with secured as e, half_open(e.communication.tls_port, 1, b"") as [oldest]:
        if begun:
            await shake(oldest, client(authority))
        async with half_open(e.communication.tls_port, 10, b"") as others:
            await asyncio.sleep(0.2)
            if not begun:
                await shake(oldest, client(authority))
            await gone([oldest], within_s=2)
            assert await open_ones(others) == len(others)


async def test_connections_of_stations_are_not_among_those_that_make_room() -> None:
    async with edge(modules=locked(), half_open_connections=20) as e, connected(e, HONEST) as station:
        assert (await station.upgrade("CS1", **RIGHT))[0] == 101
        async with half_open(e.communication.port, 100):
            station.send('[2,"1","Heartbeat",{}]')
            assert b"currentTime" in (await station.receive())[1]


@pytest.mark.parametrize(
    "said",
    [
        b"GET /ocpp/" + b"x" * 100_000 + b" HTTP/1.1\r\n",
        BEGINNING + b"X-A: " + b"b" * 100_000 + b"\r\n\r\n",
        BEGINNING + b"".join(b"X-%d: b\r\n" % number for number in range(50_000)) + b"\r\n",
        BEGINNING + b"X" * 200_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500,
    ],
    ids=["path", "header", "headers", "name", "TLS"],
)
async def test_what_is_too_large_for_a_request_is_refused_and_ended(said: bytes) -> None:
    async with edge(modules=locked(), open_timeout_s=1.0) as e, half_open(e.communication.port, 20, said) as sockets:
        assert (await knock(e, HONEST, **RIGHT))[0] == 101
        async with asyncio.timeout(5):
            answers = await asyncio.gather(*(_all(socket) for socket in sockets))
        assert all(not answer or b" 400 Bad Request" in answer[:32] for answer in answers), answers[0]


async def test_handshakes_of_tls_that_do_not_go_on_are_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared_contracts.sites._HANDSHAKE_S", 1.0)
    authority = Authority(tmp_path)
    tls = {"port": 0, "certificate_files": str(authority.server().file)}
    secured = edge(modules=locked(), ocpp_tls=tls)
    async with secured as e, half_open(e.communication.tls_port, 200, b"\x16\x03\x01") as sockets:
        _, writer = await asyncio.open_connection("127.0.0.1", e.communication.tls_port, ssl=client(authority))
        writer.transport.abort()
        await gone(sockets, within_s=4)


async def _all(socket: RawSocket) -> bytes:
    try:
        return await socket.reader.read(-1)
    except ConnectionError:
        return b""
