"""What an idle connection costs: memory of a pod in a process of its own."""

import asyncio
import base64
import sys

import pytest

from tests.communication_service.stations import RawSocket
from tests.communication_service.test_websocket import BEAT, deflated

STATIONS = 600
MOST_KIB = 21.0
"""The target is 20 at 2,000 connections; with fewer, what all share weighs more."""

POD = """
import asyncio, gc, logging, sys
import structlog, uvloop
from tests.communication_service.edge import edge

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))

def kib():
    gc.collect()
    with open("/proc/self/smaps_rollup") as lines:
        return sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty"))

async def main():
    async with edge(frame_log=False) as e:
        print(e.communication.port, flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(kib(), len(e.communication.registry), flush=True)

uvloop.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what is private to a process")
async def test_an_idle_connection_costs_little_memory_compressed_or_not() -> None:
    pod = await asyncio.create_subprocess_exec(
        sys.executable, "-c", POD, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert pod.stdin is not None
    assert pod.stdout is not None
    port = int(await pod.stdout.readline())
    sockets: list[RawSocket] = []
    try:
        await _connect(port, 100, sockets)
        before, _ = await _measure(pod)
        await _connect(port, STATIONS, sockets, Sec_WebSocket_Extensions="permessage-deflate")
        after, count = await _measure(pod)
    finally:
        for socket in sockets:
            socket.writer.close()
        pod.stdin.close()
        await pod.wait()

    assert count == STATIONS + 100
    assert (after - before) / STATIONS < MOST_KIB


async def _connect(port: int, count: int, sockets: list[RawSocket], **headers: str) -> None:
    """Connect this many more stations, each of which sends and gets one message."""
    for _ in range(count):
        socket = RawSocket(*await asyncio.open_connection("127.0.0.1", port))
        sockets.append(socket)
        credentials = base64.b64encode(b"CS:" + b"x" * 20).decode()
        await socket.upgrade(f"CS{len(sockets)}", Authorization=f"Basic {credentials}", **headers)
        if headers:
            socket.send(deflated(BEAT), flags=0xC0)
        else:
            socket.send(BEAT)
        await socket.receive()


async def _measure(pod: asyncio.subprocess.Process) -> tuple[int, int]:
    assert pod.stdin is not None
    assert pod.stdout is not None
    await asyncio.sleep(0.5)
    pod.stdin.write(b"\n")
    kib, count = (await pod.stdout.readline()).split()
    return int(kib), int(count)
