"""HTTPS of our own, certificates that change, and the address that a request counts as coming from."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import ValidationError

from management_service.entrance import Entrance, source_of
from management_service.settings import ManagementSettings
from tests.security.pki import Authority, client, rsa_key

PROXY, STRANGER = "127.0.0.9", "127.0.0.10"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def tls_of(*files: Path) -> dict[str, Any]:
    return {"port": 0, "certificate_files": ",".join(map(str, files)), "poll_s": 0.05}


@asynccontextmanager
async def api(**settings: Any) -> AsyncIterator[Entrance]:
    """An API that answers with the address it was asked from."""

    async def whence(request: web.Request) -> web.Response:
        return web.Response(text=source_of(request))

    application = web.Application()
    application.add_routes([web.get("/", whence)])
    entrance = Entrance(ManagementSettings(**{"port": 0, **settings}), application)
    async with AsyncExitStack() as stack:
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await entrance.open(runner)
        watching = asyncio.create_task(entrance.watch())
        stack.callback(watching.cancel)
        yield entrance


async def ask(
    port: int, context: ssl.SSLContext | None = None, *, source: str = "127.0.0.1", **headers: str
) -> tuple[str, str | None]:
    """The body, and what browsers are told of TLS."""
    connector = aiohttp.TCPConnector(local_addr=(source, 0))
    url = f"{'https' if context else 'http'}://127.0.0.1:{port}/"
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(url, ssl=context or False, headers=headers) as response,
    ):
        return await response.text(), response.headers.get("Strict-Transport-Security")


@pytest.mark.parametrize("suites", [None, "ECDHE-ECDSA-AES128-GCM-SHA256", "AES256-GCM-SHA384"])
async def test_the_api_is_served_over_tls_and_says_to_stay_there(authority: Authority, suites: str | None) -> None:
    files = authority.server().file, authority.server(rsa_key()).file
    async with api(tls=tls_of(*files)) as entrance:
        assert (await ask(entrance.port))[1] is None
        promised = (await ask(entrance.tls_port, client(authority, suites=suites)))[1]
        assert promised is not None
        assert promised.startswith("max-age=")


async def test_without_certificates_there_is_no_tls_and_plain_http_can_be_switched_off(authority: Authority) -> None:
    async with api() as entrance:
        assert entrance.port > 0
        assert entrance.tls_port == 8443
    async with api(tls=tls_of(authority.server().file), plain_http=False) as entrance:
        assert entrance.port == 0
        assert (await ask(entrance.tls_port, client(authority)))[0] == "127.0.0.1"


async def test_a_new_certificate_is_taken_up_and_an_unusable_one_is_not(authority: Authority) -> None:
    served = authority.server()
    async with api(tls=tls_of(served.file)) as entrance:

        async def serial() -> int:
            _, writer = await asyncio.open_connection("127.0.0.1", entrance.tls_port, ssl=client(authority))
            try:
                shown = writer.get_extra_info("ssl_object").getpeercert()
                return int(shown["serialNumber"], 16)
            finally:
                writer.close()

        assert await serial() == served.certificate.serial_number
        served.file.write_text("no certificate")
        entrance.reload()
        assert await serial() == served.certificate.serial_number
        renewed = authority.server()
        served.file.write_bytes(renewed.file.read_bytes())
        async with asyncio.timeout(5):
            while await serial() != renewed.certificate.serial_number:
                await asyncio.sleep(0.02)


async def test_a_certificate_that_is_none_ends_the_start(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    for file in (wrong, tmp_path / "missing.pem"):
        with pytest.raises(OSError, match=file.name):
            Entrance(ManagementSettings(tls=tls_of(file)), web.Application())


@pytest.mark.parametrize(("source", "counted", "promised"), [(PROXY, "203.0.113.7", True), (STRANGER, STRANGER, False)])
async def test_forwarded_headers_count_from_a_named_proxy_alone(source: str, counted: str, promised: bool) -> None:
    headers: dict[str, Any] = {"X-Forwarded-For": "1.2.3.4, 203.0.113.7", "X-Forwarded-Proto": "https"}
    async with api(trusted_proxies=PROXY) as entrance:
        whence, promise = await ask(entrance.port, source=source, **headers)
        assert (whence, promise is not None) == (counted, promised)


def test_an_api_that_would_listen_nowhere_is_refused() -> None:
    with pytest.raises(ValidationError, match="not at all"):
        ManagementSettings(plain_http=False)
    assert not ManagementSettings(plain_http=False, tls={"certificate_files": "/tls/api.crt"}).plain_http
