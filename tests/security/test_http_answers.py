"""T14, T17: what every answer tells browsers, what another origin is told, and what a small body may not become."""

import asyncio
import gzip
import zlib
from pathlib import Path

import pytest

from modules import catalogue
from tests.harness import Running, running
from tests.management_service.probe import execute, probing, texts
from tests.modules.users.people import QUICK, account, sign_in

PATHS = ("/api/v1/users", "/api/v1/nothing", "/livez", "/metrics", "/api/openapi.json", "/api/docs", "/", "/elsewhere")
SCRIPT = "/api/docs/assets/swagger-ui-bundle.js"


async def test_every_answer_says_that_it_is_not_to_be_guessed_framed_or_scripted(database: str) -> None:
    async with running(database, *catalogue.NAMES, users=QUICK) as strum:
        for path in (*PATHS, SCRIPT):
            async with strum.session.get(_url(strum, path), allow_redirects=False) as answer:
                assert answer.headers["X-Content-Type-Options"] == "nosniff", path
                assert answer.headers["X-Frame-Options"] == "DENY"
                policy = answer.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "frame-ancestors 'none'" in policy
                assert "unsafe-eval" not in policy
                assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
                assert "aiohttp" not in answer.headers["Server"]
                assert ("no-store" in answer.headers.get("Cache-Control", "")) is path.startswith("/api/v1"), path
        await account(strum, "admin@example.org")
        nobody = strum.nobody()
        body = {"email": "admin@example.org", "password": "wrong"}
        for _ in range(2):
            await nobody.post("/sessions", body)
            assert nobody.response is not None
            assert nobody.response.headers["Cache-Control"] == "no-store"
        await sign_in(strum, "admin@example.org")


async def test_no_other_origin_may_read_anything(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
        for method in ("GET", "OPTIONS"):
            for path in ("/api/v1/open", "/api/v1/notes", "/api/openapi.json", "/livez"):
                async with strum.session.request(method, _url(strum, path), headers=headers) as answer:
                    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
                    assert (answer.status == 405) is (method == "OPTIONS")


BOMB = b'{"text": "' + b"a" * 50_000_000 + b'"}'


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip"])
async def test_a_compressed_body_is_refused_and_never_inflated(
    database: str, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    async with probing(database, monkeypatch) as strum:
        small = gzip.compress(BOMB) if encoding.startswith("gzip") else zlib.compress(BOMB)
        before = _memory_kib()
        api = strum.api()
        headers = api.headers | {"Content-Type": "application/json", "Content-Encoding": encoding}
        async with strum.session.post(_url(strum, "/api/v1/notes"), data=small, headers=headers) as answer:
            assert (answer.status, (await answer.json(content_type=None))["code"]) == (415, "unsupported_media_type")
        assert _memory_kib() - before < 20_000
        assert await texts(database) == []


def _memory_kib() -> int:
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


DEEP = {
    "lists": "[" * 33 + "]" * 33,
    "objects": '{"a":' * 33 + "1" + "}" * 33,
    "very deep lists": "[" * 500 + "]" * 500,
    "objects beyond the stack": '{"a":' * 100_000,
}


@pytest.mark.parametrize("value", DEEP.values(), ids=DEEP.keys())
async def test_what_is_nested_too_deep_is_refused(database: str, value: str) -> None:
    """Also where any JSON is taken: what one can read, another that is asked to store or send it may not."""
    async with running(database, "charge_points", fakes={}) as strum:
        api = strum.api()
        await api.post("/charging-stations", {"station_id": "CS1"})
        headers = api.headers | {"Content-Type": "application/json"}
        url = _url(strum, "/api/v1/charging-stations/CS1/ocpp/DataTransfer")
        async with strum.session.post(url, data=f'{{"data": {value}}}', headers=headers) as answer:
            assert answer.status in {400, 422}
        async with strum.session.post(url, data='{"data": ' + "[" * 30 + "]" * 30 + "}", headers=headers) as answer:
            assert answer.status == 201, await answer.text()
        assert await execute(database, "SELECT count(*) FROM charge_points.commands") == [(1,)]


async def test_a_head_that_never_ends_is_cut_off(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        reader, writer = await asyncio.open_connection("127.0.0.1", strum.management.port)
        writer.write(b"GET /api/v1/open HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 20_000)
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        assert answer.split()[1] == b"400"
        assert (await strum.nobody().get("/open"))[0] == 200


def _url(strum: Running, path: str) -> str:
    return f"http://127.0.0.1:{strum.management.port}{path}"
