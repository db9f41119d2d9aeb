"""F39: certificates, passwords and lists of what is revoked change while stations are connected: without restarts."""

import asyncio
import signal
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import WSServerHandshakeError

from simulator import Station
from simulator.outcome import Answered
from tests.e2e.stack import Stack
from tests.faults.fleets import FAST
from tests.faults.ground import ground
from tests.figures import Figure
from tests.security.pki import Authority, Issued, client, rsa_key
from tests.services.ports import free_port

STATIONS = 40
_LATE = "3600"  # seconds between two looks at the files: what changes is to be told by the signal


async def eventually(condition: Callable[[], Awaitable[bool]], within_s: float) -> float:
    """Wait until something is so; how long it took."""
    begun = time.monotonic()
    async with asyncio.timeout(within_s):
        while not await condition():
            await asyncio.sleep(0.05)
    return time.monotonic() - begun


async def register(strum: Stack, station_id: str, **fields: object) -> str | None:
    status, body = await strum.api("POST", "/charging-stations", json={"station_id": station_id, **fields})
    assert status == 201, body
    password: str | None = body["password"]
    return password


async def certificate_served(port: int, authority: Authority) -> int:
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client(authority))
    try:
        shown = writer.get_extra_info("ssl_object").getpeercert()
        return int(shown["serialNumber"], 16)
    finally:
        writer.transport.abort()


async def gets_in(url: str, station_id: str, authority: Authority, shown: Issued | None, password: str | None) -> bool:
    """Whether a connection is upgraded; it is ended at once."""
    shown_as = b64encode(f"{station_id}:{password}".encode()).decode()
    headers = {} if password is None else {"Authorization": f"Basic {shown_as}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        try:
            socket = await session.ws_connect(
                f"{url}/{station_id}", protocols=("ocpp1.6",), ssl=client(authority, shown)
            )
        except (WSServerHandshakeError, aiohttp.ClientError, OSError):
            return False
        await socket.close()
        return True


async def connected_since(strum: Stack) -> dict[str, str]:
    """The stations that are connected, and since when."""
    page = await strum.pages("/charging-stations", online=True)
    return {item["station_id"]: item["connected_since"] for item in page if item["station_id"] != "SPARE"}


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_what_is_renewed_holds_at_once_and_ends_no_connection(tmp_path: Path, figure: Figure) -> None:
    authority = Authority(tmp_path)
    ecdsa, rsa, revoked = authority.server(), authority.server(rsa_key()), authority.revoke()
    tls_port, api_tls_port = free_port(), free_port()
    settings: dict[str, Any] = {
        "ocpp_tls__port": str(tls_port),
        "ocpp_tls__certificate_files": f"{ecdsa.file},{rsa.file}",
        "ocpp_tls__ca_file": str(authority.file),
        "ocpp_tls__crl_file": str(revoked),
        "ocpp_tls__poll_s": _LATE,
        "tls__port": str(api_tls_port),
        "tls__certificate_files": str(ecdsa.file),
        "tls__poll_s": _LATE,
        "charge_points__unknown_stations": "refuse",
    }
    url = f"wss://127.0.0.1:{tls_port}/ocpp"
    async with ground(tmp_path, **settings) as made, AsyncExitStack() as stack:
        strum = made.strum
        management = await strum.management().start()
        edge = await strum.communication().start()
        assert edge.process is not None
        assert management.process is not None
        await strum.sign_in()
        own = {f"CS{number}": authority.issue(f"CS{number}") for number in range(STATIONS)}
        passwords: dict[str, str | None] = {}
        for number, station_id in enumerate(own):
            passwords[station_id] = await register(strum, station_id, security_profile=2 + number % 2)
        stations = [
            await stack.enter_async_context(
                Station(
                    url=url,
                    station_id=station_id,
                    password=passwords[station_id],
                    ssl_context=client(authority, shown if passwords[station_id] is None else None),
                    settings=FAST,
                    seed=1,
                )
            )
            for station_id, shown in own.items()
        ]
        await strum.eventually(
            "/charging-stations", lambda page: len(page["items"]) == STATIONS, online=True, limit=100
        )
        since = {item["station_id"]: item["connected_since"] for item in await strum.pages("/charging-stations")}

        renewed = authority.server()
        ecdsa.file.write_bytes(renewed.file.read_bytes())
        revoked.write_bytes(authority.revoke(own["CS1"]).read_bytes())
        edge.process.send_signal(signal.SIGHUP)
        management.process.send_signal(signal.SIGHUP)
        for port, whose in ((tls_port, "stations"), (api_tls_port, "API")):

            async def is_served(port: int = port) -> bool:
                return await certificate_served(port, authority) == renewed.certificate.serial_number

            figure("F39", f"new certificate served to {whose}", await eventually(is_served, 10), "s", at_most=5)

        old = await register(strum, "SPARE", security_profile=2)
        assert await gets_in(url, "SPARE", authority, None, old)
        _, made_anew = await strum.api("POST", "/charging-stations/SPARE/password", json={})

        async def old_is_refused() -> bool:
            return not await gets_in(url, "SPARE", authority, None, old)

        figure("F39", "old password refused after", await eventually(old_is_refused, 10), "s", at_most=5)
        assert await gets_in(url, "SPARE", authority, None, made_anew["password"])

        for station in stations:
            assert isinstance(await station.call("Heartbeat", {}), Answered)
        assert await connected_since(strum) == since, "a living connection ended"
        assert edge.process.returncode is None

        assert not await gets_in(url, "CS1", authority, own["CS1"], None), "it was revoked"
        assert await gets_in(url, "CS3", authority, own["CS3"], None)
