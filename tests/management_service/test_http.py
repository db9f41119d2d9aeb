"""What the host answers whatever is asked: problem documents, idempotency, revisions."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from sqlalchemy import text

from modules.kernel.http import Call, Download, NoQuery, get
from modules.kernel.work import Work
from shared_contracts.users import Role
from tests.harness import Client, Running, running
from tests.management_service.probe import Copied, Probe, execute, module, prepare, probing, texts

JSON = {"Content-Type": "application/json"}


async def _raw(api: Client, method: str, path: str, data: bytes, **headers: str) -> tuple[int, Any]:
    async with api.session.request(
        method, api.base + path, data=io.BytesIO(data), headers=api.headers | JSON | headers
    ) as answer:
        api.response = answer
        return answer.status, json.loads(await answer.read())


async def test_what_is_refused_is_a_problem_document(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        api = strum.api()
        for method, path, status, code in (
            ("GET", "/nothing", 404, "not_found"),
            ("GET", "/notes/none", 404, "not_found"),
            ("PUT", "/notes", 405, "method_not_allowed"),
            ("GET", "/nobody", 503, "unavailable"),
        ):
            answered, problem = await api.call(method, path)
            assert (answered, problem["status"], problem["code"]) == (status, status, code)
            assert problem["type"] == f"urn:strum:problem:{code}"
            assert problem["title"]
            assert problem["detail"]
            assert len(problem["trace"]) == 32
            assert api.response is not None
            assert api.response.content_type == "application/problem+json"
            if status == 405:
                assert api.response.headers["Allow"] == "GET,POST"
            if status == 503:
                assert api.response.headers["Retry-After"] == "5"


async def test_outside_of_the_api_too(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        probing(database, monkeypatch) as strum,
        strum.session.get(f"http://127.0.0.1:{strum.management.port}/elsewhere") as answer,
    ):
        assert (answer.status, answer.content_type) == (404, "application/problem+json")


BODIES: tuple[tuple[bytes, int, str], ...] = (
    (b"", 422, "invalid_request"),
    (b"nonsense", 400, "malformed_request"),
    (b'{"text": "a"', 400, "malformed_request"),
    (b'{"text": "\xff"}', 400, "malformed_request"),
    (b'{"text": "\\ud800"}', 400, "malformed_request"),
    (b'{"text": NaN}', 400, "malformed_request"),
    (b"[" * 100_000, 400, "malformed_request"),
    (b"[]", 422, "invalid_request"),
    (b"null", 422, "invalid_request"),
    (b'{"text": null}', 422, "invalid_request"),
    (b'{"text": 5}', 422, "invalid_request"),
    (b'{"text": "a\\u0000b"}', 422, "invalid_request"),
    (b'{"text": "a", "more": {"a\\u0000": 1}}', 422, "invalid_request"),
    (b'{"text": "a", "more": {"x": ' + b"[" * 30 + b'"\\u0000"' + b"]" * 30 + b"}}", 422, "invalid_request"),
    (b'{"text": "a", "more": {"x": ' + b"[" * 31 + b'""' + b"]" * 31 + b"}}", 422, "invalid_request"),
    (b'{"text": "a", "more": {"x": ' + b"[" * 900 + b'""' + b"]" * 900 + b"}}", 422, "invalid_request"),
    (b'{"text": "a", "number": 99999999999}', 422, "invalid_request"),
    (b'{"text": "a", "number": 1e400}', 400, "malformed_request"),
    (b'{"text": "a", "number": 123456789012345678901234567890}', 422, "invalid_request"),
    (b'{"text": "' + b"a" * 1_100_000 + b'"}', 413, "request_entity_too_large"),
    (b'{"text": "break"}', 500, "internal"),
)


async def test_a_bad_body_is_named_and_never_our_failure(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        for body, status, code in BODIES:
            answered, problem = await _raw(strum.api(), "POST", "/notes", body)

            assert (answered, problem["code"]) == (status, code), body[:100]
            assert "secret" not in str(problem)
        assert await texts(database) == []


async def test_each_field_that_does_not_fit_is_named(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        _, problem = await strum.api().post("/notes", {"text": "", "number": "x", "colour": "red"})
        assert [error["field"] for error in problem["errors"]] == ["text", "number", "colour"]
        for query in ({"limit": 0}, {"limit": 501}, {"limit": "many"}, {"colour": "red"}, {"cursor": "a", "x": 1}):
            status, problem = await strum.api().get("/notes", **query)
            assert status == 422
            assert problem["errors"][0]["field"] in query


async def test_a_body_of_another_type_is_refused(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            status, problem = await _raw(strum.api(), "POST", "/notes", b'{"text": "a"}', **{"Content-Type": kind})
            assert (status, problem["code"]) == (415, "unsupported_media_type")


TARGETS = (
    "/notes/%00",
    "/notes/%ff",
    "/notes/%ed%a0%80",
    "/notes/%2f",
    "/notes?tags=%00",
    "/notes?tags=%ff",
    "/notes?%ff=1",
)
HEADERS = (
    "Idempotency-Key: \xff",
    "Idempotency-Key: " + "x" * 256,
    "Idempotency-Key: a\tb",
    "If-Match: \xff",
    'If-Match: "' + "9" * 30 + '"',
    "traceparent: 00-\xff-00",
    "Authorization: Bearer \xff\xfe",
    "Authorization: \xff",
    "Authorization: Basic dTpw",
    "Content-Encoding: gzip",
    "Content-Type: \xff",
)


async def test_an_odd_path_or_header_is_never_our_failure(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        for target in TARGETS:
            status = await _status_of(strum, f"GET /api/v1{target} HTTP/1.1")
            assert status in {200, 404, 422}, (target, status)
        for header in HEADERS:
            for line in ("POST /api/v1/notes HTTP/1.1", "PATCH /api/v1/notes/x HTTP/1.1", "GET /api/v1/open HTTP/1.1"):
                status = await _status_of(strum, line, header)
                assert status < 500, (line, header, status)


async def _status_of(strum: Running, *lines: str) -> int:
    """Say it byte by byte: clients of the library mend what they send."""
    head = [*lines, "Host: x", "Content-Length: 13", "Connection: close"]
    if not any(line.startswith("Authorization") for line in lines):
        head.append(f"Authorization: {strum.api().headers['Authorization']}")
    if not any(line.startswith("Content-Type") for line in lines):
        head.append("Content-Type: application/json")
    reader, writer = await asyncio.open_connection("127.0.0.1", strum.management.port)
    writer.write(("\r\n".join(head) + "\r\n\r\n").encode("latin-1") + b'{"text": "x"}')
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return int(answer.split()[1])


async def test_credentials_are_needed_but_where_a_route_is_open(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        nobody = strum.nobody()
        assert (await nobody.get("/open"))[0] == 200
        status, problem = await nobody.get("/notes")
        assert (status, problem["code"]) == (401, "unauthenticated")
        assert nobody.response is not None
        assert nobody.response.headers["WWW-Authenticate"] == "Bearer"
        status, problem = await strum.api(Role.VIEWER).post("/notes", {"text": "a"})
        assert (status, problem["scope"]) == (403, "stations:write")
        assert (await strum.api(Role.VIEWER).get("/notes"))[0] == 200


async def test_what_is_answered_is_kept_by_no_cache(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        api = strum.api()
        await api.get("/notes")
        assert api.response is not None
        assert api.response.headers["Cache-Control"] == "no-store"


async def test_a_trace_id_is_taken_over_and_told(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        api, trace = strum.api(), "0af7651916cd43dd8448eb211c80319c"
        await api.post("/notes", {"text": "a"}, traceparent=f"00-{trace}-b7ad6b7169203331-01")
        assert api.response is not None
        assert api.response.headers["X-Trace-Id"] == trace
        await strum.hear(Copied)
        assert strum.events[-1].trace == trace
        _, problem = await api.call("GET", "/nothing", traceparent=f"00-{trace}-b7ad6b7169203331-01")
        assert problem["trace"] == trace


async def test_a_view_with_a_revision_has_an_etag_and_edits_take_it(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with probing(database, monkeypatch) as strum:
        api = strum.api()
        await api.post("/notes", {"text": "a"})
        await api.get("/notes/a")
        assert api.response is not None
        tag = api.response.headers["ETag"]
        assert tag == '"1"'
        assert (await api.patch("/notes/a", {"text": "a"}, If_Match=tag))[1]["revision"] == 2
        assert api.response.headers["ETag"] == '"2"'
        assert (await api.patch("/notes/a", {"text": "a"}, If_Match=tag))[0] == 412
        assert (await api.patch("/notes/a", {"text": "a"}, If_Match="*"))[0] == 200
        assert (await api.patch("/notes/a", {"text": "a"}, If_Match="other"))[0] == 422
        assert (await api.delete("/notes/a"))[0] == 204


async def test_a_repeated_post_gets_the_first_answer_again(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        api = strum.api()
        first = await api.post("/notes", {"text": "a"}, Idempotency_Key="k")
        assert api.response is not None
        location = api.response.headers["Location"]
        assert await api.post("/notes", {"text": "a"}, Idempotency_Key="k") == first
        assert api.response.headers["Location"] == location
        assert api.response.headers["Idempotency-Replayed"] == "true"
        assert await texts(database) == ["a"]
        assert (await strum.api(user_id="u-2").post("/notes", {"text": "a"}, Idempotency_Key="k"))[1] != first[1]
        assert len(await texts(database)) == 2
        assert (await api.post("/notes", {"text": "b"}, Idempotency_Key="k"))[0] == 422


async def test_of_repeats_at_once_one_acts(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        posts = [strum.api().post("/notes", {"text": "a"}, Idempotency_Key="k") for _ in range(5)]
        answers = await asyncio.gather(*posts)

        assert all(answer == answers[0] for answer in answers)
        assert await texts(database) == ["a"]


async def test_a_post_that_failed_may_be_repeated(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        api = strum.api()
        assert (await api.post("/notes", {"text": "break"}, Idempotency_Key="k"))[0] == 500
        assert (await api.post("/notes", {"text": "a"}, Idempotency_Key="k"))[0] == 201


async def test_an_answer_after_the_commit_is_remembered_even_if_it_refuses(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with probing(database, monkeypatch) as strum:
        api = strum.api()
        first = await api.post("/notes/later", {"text": "a"}, Idempotency_Key="k")
        assert first[0] == 200
        assert await api.post("/notes/later", {"text": "a"}, Idempotency_Key="k") == first
        status, refusal = await api.post("/notes/later", {"text": "refuse"}, Idempotency_Key="r")
        again, repeated = await api.post("/notes/later", {"text": "refuse"}, Idempotency_Key="r")
        assert (status, again, refusal["reason"]) == (409, 409, "because")
        assert repeated == refusal, "the trace leads to the first"
        assert api.response is not None
        assert api.response.content_type == "application/problem+json"
        assert (Probe.answered, await texts(database)) == (2, ["a", "refuse"])


@pytest.mark.parametrize("trouble", ["away", "busy", "crowded", "lost"])
async def test_after_trouble_of_ours_a_repeat_under_the_same_key_acts(
    database: str, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    """Neither is the 503 the answer for two days, nor does the key wait for one that never comes."""
    async with probing(database, monkeypatch) as strum:
        api = strum.api()
        assert (await api.post("/notes/later", {"text": trouble}, Idempotency_Key="k"))[0] == 503
        assert (await api.post("/notes/later", {"text": trouble}, Idempotency_Key="k"))[0] == 200
        assert Probe.answered == 2


async def _breaking(_: Call[NoQuery, None], __: Work) -> Download:
    """Break in the middle."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"half of it\n"
        raise RuntimeError("the other half is gone")

    return Download(chunks(), "text/plain", "broken.txt")


async def test_a_download_that_breaks_ends_the_connection(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await prepare(database, monkeypatch, replace(module, routes=(*module.routes, get("/broken", _breaking, None))))
    async with running(database, "probe") as strum:
        async with asyncio.timeout(5):
            with pytest.raises(aiohttp.ClientPayloadError):
                await strum.api().get("/broken")
        assert (await strum.api().get("/notes"))[0] == 200


async def test_a_download_that_takes_its_time_holds_no_connection(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def slow(_: Call[NoQuery, None], work: Work) -> Download:
        """Read first, then send slowly."""
        await work.execute(text("SELECT 1"))

        async def chunks() -> AsyncIterator[bytes]:
            begun.release()
            await go_on.wait()
            yield b"all of it"

        return Download(chunks(), "text/plain", "slow.txt")

    await prepare(database, monkeypatch, replace(module, routes=(*module.routes, get("/slow", slow, None))))
    async with running(database, "probe", database_pool_size=4) as strum, asyncio.timeout(20):
        (hosted,) = strum.management.hosted
        downloads = [asyncio.create_task(strum.api().get("/slow")) for _ in range(3)]
        for _ in downloads:
            await begun.acquire()
        assert hosted.database.serving.pool.checkedout() == 0  # type: ignore[attr-defined]  # of the pool in use
        go_on.set()
        assert [(await download)[0] for download in downloads] == [200] * 3


async def test_an_answer_that_is_still_to_come_is_no_answer(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process died between the commit and the answer: whether it acted is unknown, so it does not act again."""
    async with probing(database, monkeypatch) as strum:
        api = strum.api()
        await api.post("/notes/later", {"text": "a"}, Idempotency_Key="k")
        await execute(database, "UPDATE probe.idempotency SET status = NULL")
        status, problem = await api.post("/notes/later", {"text": "a"}, Idempotency_Key="k")

        assert (status, problem["code"]) == (409, "conflict")
        assert await texts(database) == ["a"]


async def test_a_lost_connection_is_not_the_callers_fault(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        await strum.api().get("/notes")
        await execute(
            database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        statuses = [(await strum.api().get("/notes"))[0] for _ in range(8)]

        assert set(statuses) <= {200, 503}
        assert statuses[-1] == 200


async def test_a_client_that_goes_away_harms_nobody(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        for _ in range(20):
            _, writer = await asyncio.open_connection("127.0.0.1", strum.management.port)
            writer.write(b"POST /api/v1/notes HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            writer.transport.abort()
        timeout = aiohttp.ClientTimeout(total=5)
        async with strum.session.get(strum.nobody().base + "/open", timeout=timeout) as answer:
            assert answer.status == 200
