"""Stations that are there and not there: the link is gone (F19), the station hangs, or does not read (F20).

With the settings as they come: whoever is silent is found within one and a half ping intervals of 40 s.
"""

import asyncio
import os
import signal
import socket
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.communication_service.stations import RawSocket
from tests.faults.ground import Ground
from tests.faults.honest import honest
from tests.faults.proxy import Fault, FaultProxy
from tests.figures import Figure

pytestmark = [pytest.mark.alone, pytest.mark.timeout(300)]

BOUND_S = 62.0
DEAF = 40
BEAT = '[2,"7","Heartbeat",{}]'
HANGING = """
import asyncio, sys, aiohttp
async def main():
    async with aiohttp.ClientSession() as session, session.ws_connect(sys.argv[1], protocols=("ocpp1.6",)) as socket:
        await socket.send_str('[2,"b","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]')
        print(await socket.receive_str(), flush=True)
        await socket.receive()
asyncio.run(main())
"""


async def test_half_open_hanging_and_deaf_stations_are_found_in_time_and_cost_little(
    faulty: Ground, figure: Figure
) -> None:
    url = faulty.strum.ocpp_url
    async with AsyncExitStack() as closing:
        line = await closing.enter_async_context(FaultProxy(faulty.strum.ocpp_port))
        beyond = await closing.enter_async_context(
            faulty.strum.session.ws_connect(f"ws://127.0.0.1:{line.port}/ocpp/BEYOND", protocols=("ocpp1.6",))
        )
        ponging = asyncio.create_task(beyond.receive())
        closing.callback(ponging.cancel)
        hanging = await asyncio.create_subprocess_exec(
            sys.executable, "-c", HANGING, f"{url}/HANGING", stdout=asyncio.subprocess.PIPE
        )
        closing.callback(hanging.kill)
        assert hanging.stdout is not None
        assert b"Accepted" in await hanging.stdout.readline()
        await _connected(faulty, "HANGING", True)
        await _connected(faulty, "BEYOND", True)
        others = await closing.enter_async_context(honest(url, 50))
        await asyncio.sleep(5)
        before_s = await others.measured(15)
        before_kib = _resident_kib(faulty)
        others.waited.clear()
        deaf = [await _deaf(faulty.strum.ocpp_port, f"DEAF-{number}") for number in range(DEAF)]
        for one in deaf:
            closing.callback(one.writer.transport.abort)
        calling = asyncio.create_task(_call_without_end(deaf))
        closing.callback(calling.cancel)

        line.set(Fault(silent=True))
        hanging.send_signal(signal.SIGSTOP)
        begun = time.monotonic()
        found = {
            name: asyncio.create_task(_gone_after(faulty, name, begun)) for name in ("BEYOND", "HANGING", "DEAF-0")
        }
        await asyncio.sleep(15)
        grown_kib = (_resident_kib(faulty) - before_kib) / DEAF
        took = {name: await task for name, task in found.items()}
        status, command = await faulty.strum.api(
            "POST", "/charging-stations/BEYOND/commands", json={"type": "reset", "when": "immediate"}
        )
        p99_s = others.p99_s()

    figure("F19", "half-open station found after", took["BEYOND"], "s", at_most=BOUND_S)
    figure("F20", "stopped station found after", took["HANGING"], "s", at_most=BOUND_S)
    figure("F20", "station that reads nothing dropped after", took["DEAF-0"], "s", at_most=BOUND_S)
    figure("F20", "memory of the pod per station that reads nothing", grown_kib, "KiB", at_most=1024)
    figure("F20", "p99 of honest stations meanwhile", p99_s, "s", at_most=max(2 * before_s, 0.5))
    assert (status, command["state"]) == (201, "offline")


async def _deaf(port: int, station_id: str) -> RawSocket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
    deaf = RawSocket(*await asyncio.open_connection(sock=connection, limit=256))
    assert (await deaf.upgrade(station_id))[0] == 101
    deaf.writer.transport.pause_reading()  # type: ignore[attr-defined]  # of a socket it can
    return deaf


async def _call_without_end(deaf: list[RawSocket]) -> None:
    while True:
        for one in deaf:
            if one.writer.transport.get_write_buffer_size() < 100_000:
                for _ in range(50):
                    one.send(BEAT)
        await asyncio.sleep(0.2)


async def _gone_after(ground: Ground, station_id: str, begun: float) -> float:
    await _connected(ground, station_id, False)
    return time.monotonic() - begun


async def _connected(ground: Ground, station_id: str, connected: bool) -> None:
    await ground.strum.eventually(
        f"/charging-stations/{station_id}", lambda body: body["connected"] is connected, within_s=120
    )


def _resident_kib(ground: Ground) -> int:
    """What the communication service holds in memory."""
    (pod,) = [service for service in ground.strum.services if service.arguments[0] == "communication"]
    assert pod.process is not None
    with Path(f"/proc/{pod.process.pid}/statm").open() as line:
        return int(line.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
