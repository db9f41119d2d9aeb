"""T7: which suites are offered, and that a station cannot begin the handshake anew within a connection.

Python's client cannot ask for that, so the program of OpenSSL does.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from shared_contracts.tls import StationTlsSettings
from tests.communication_service.edge import edge
from tests.security.pki import Authority, client, rsa_key

WITHIN_S = 20.0
UPGRADE = (
    b"GET /ocpp/CS1 HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Protocol: ocpp1.6\n\n"
)


def test_of_tls_1_2_six_suites_are_offered_and_no_other(tmp_path: Path) -> None:
    context = StationTlsSettings(certificate_files=str(Authority(tmp_path).server().file)).context()
    offered = {suite["name"] for suite in context.get_ciphers() if suite["protocol"] != "TLSv1.3"}

    assert offered == {
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "AES128-GCM-SHA256",
        "AES256-GCM-SHA384",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES256-GCM-SHA384",
    }


@pytest.mark.parametrize("suite", ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"])
async def test_a_station_that_has_no_ecdsa_gets_forward_secrecy_by_the_rsa_certificate(
    tmp_path: Path, suite: str
) -> None:
    authority = Authority(tmp_path)
    files = ",".join(str(authority.server(key).file) for key in (None, rsa_key()))
    context = client(authority, suites=f"{suite}:AES128-GCM-SHA256")
    async with edge(ocpp_tls={"port": 0, "certificate_files": files}) as e:
        _, writer = await asyncio.open_connection("127.0.0.1", e.communication.tls_port, ssl=context)
        assert writer.get_extra_info("ssl_object").cipher()[0] == suite
        writer.close()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the program openssl, which can ask for it")
async def test_a_station_that_begins_the_handshake_anew_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    tls = {"port": 0, "certificate_files": str(authority.server().file)}
    async with edge(ocpp_tls=tls) as e, dialled(e.communication.tls_port, authority) as station:
        said = await until_said(station, UPGRADE, b"101 Switching Protocols")
        assert b"Secure Renegotiation IS supported" in said
        said = await until_said(station, b"R\n", b"no renegotiation")

        assert b"RENEGOTIATING" in said
        assert await asyncio.wait_for(station.wait(), WITHIN_S) != 0


@asynccontextmanager
async def dialled(port: int, authority: Authority) -> AsyncIterator[asyncio.subprocess.Process]:
    """A connection of TLS 1.2, for which a line with R means to begin the handshake anew."""
    process = await asyncio.create_subprocess_exec(
        *("openssl", "s_client", "-crlf", "-tls1_2", "-CAfile", str(authority.file), "-connect", f"127.0.0.1:{port}"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until_said(process: asyncio.subprocess.Process, line: bytes, wanted: bytes) -> bytes:
    """Give it this line; all that it says until it has said what is wanted."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line)
    said = b""
    async with asyncio.timeout(WITHIN_S):
        while wanted not in said and (more := await process.stdout.read(4096)):
            said += more
    assert wanted in said, said
    return said
