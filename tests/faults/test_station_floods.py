"""One hostile station among honest ones, on connections that were admitted (T16)."""

import asyncio
import zlib

import pytest

from tests.communication_service.stations import PING, RawSocket
from tests.faults.ground import Ground
from tests.faults.honest import honest
from tests.figures import Figure

pytestmark = [pytest.mark.alone, pytest.mark.timeout(1500)]

HONEST = 100
EACH_S = 15
MOST_UNSENT = 200_000
BEAT = '[2,"7","Heartbeat",{}]'


def _bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress('[3,"x",{}]'.ljust(1_000_000).encode()) + packer.flush(zlib.Z_SYNC_FLUSH)
    return packed.removesuffix(b"\x00\x00\xff\xff")


BOMB = _bomb()


def _say(hostile: RawSocket, flood: str) -> None:
    """A hundred frames of the flood, or a few where they are large."""
    match flood:
        case "calls":
            for _ in range(100):
                hostile.send(BEAT)
        case "pings":
            for _ in range(100):
                hostile.send(b"", PING)
        case "answers to nothing":
            for _ in range(100):
                hostile.send('[3,"x",{}]')
        case "fragments of a byte":
            hostile.send("[", flags=0)
            for _ in range(98):
                hostile.send(" ", 0, flags=0)
            hostile.send('3,"x",{}]', 0)
        case "inflating messages":
            for _ in range(5):
                hostile.send(BOMB, flags=0xC0)


async def _flood(hostile: RawSocket, flood: str, counts: dict[str, int]) -> None:
    reading = asyncio.create_task(_read(hostile))
    try:
        while True:
            while hostile.writer.transport.get_write_buffer_size() > MOST_UNSENT:
                await asyncio.sleep(0.01)
            _say(hostile, flood)
            counts[flood] += 1
            await asyncio.sleep(0)
    finally:
        reading.cancel()


async def _read(hostile: RawSocket) -> None:
    while True:
        await hostile.reader.read(1 << 16)


FLOODS = ("calls", "pings", "answers to nothing", "fragments of a byte", "inflating messages")


async def test_honest_stations_do_not_notice_a_flood(faulty: Ground, figure: Figure) -> None:
    counts = dict.fromkeys(FLOODS, 0)
    p99_s: dict[str, float] = {}
    async with honest(faulty.strum.ocpp_url, HONEST) as others:
        await others.measured(5)
        before_s = await others.measured(EACH_S)
        for flood in FLOODS:
            async with RawSocket.dialled(faulty.strum.ocpp_port) as hostile:
                status, _ = await hostile.upgrade("HOSTILE", Sec_WebSocket_Extensions="permessage-deflate")
                assert status == 101
                flooding = asyncio.create_task(_flood(hostile, flood, counts))
                p99_s[flood] = await others.measured(EACH_S)
                assert not flooding.done(), flooding
                flooding.cancel()
                await asyncio.gather(flooding, return_exceptions=True)
        refused = others.refused
    figure("T16", "p99 of honest stations before", before_s, "s")
    for flood, seen_s in p99_s.items():
        assert counts[flood] > 10
        figure("T16", f"p99 of honest stations beside a flood of {flood}", seen_s, "s", at_most=max(2 * before_s, 0.1))
    assert refused == 0
