"""Who did what: each request that would change something leaves one record, which nobody changes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
from sqlalchemy.exc import DBAPIError

from management_service import audit
from modules import catalogue
from modules.kernel.errors import Unavailable
from modules.kernel.work import ModuleContext
from shared_contracts.management import RequestAudited
from shared_contracts.users import Role
from tests.harness import Client
from tests.management_service.probe import Probe, execute, probing, texts
from tests.modules.users.people import PASSWORD, account, bearer, client, sign_in, users

ADMIN = "admin@example.org"
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_EVERY_S", 0.05)


async def _records(api: Client, count: int, **query: Any) -> list[dict[str, Any]]:
    """The records, oldest first, once there are so many."""
    async with asyncio.timeout(5):
        while True:
            status, page = await api.get("/audit-records", limit=500, **query)
            assert status == 200, page
            if len(page["items"]) >= count:
                return list(reversed(page["items"]))
            await asyncio.sleep(0.05)


async def test_what_was_done_is_told_with_who_whence_and_how_it_ended(database: str) -> None:
    async with users(database, "diagnostics") as strum:
        admin_id = await account(strum, ADMIN)
        api = bearer(strum, (await sign_in(strum, ADMIN))["access_token"])
        _, key = await api.post("/api-keys", {"name": "a machine"})
        machine = bearer(strum, key["key"])
        _, user = await machine.post("/users", {"email": "o@example.org", "role": "operator", "password": PASSWORD})
        await api.call(
            "PATCH", f"/users/{user['id']}", json={"name": "O"}, traceparent=f"00-{TRACE}-b7ad6b7169203331-01"
        )
        await api.get("/users")
        found = await _records(api, 4)

    told = [(r["method"], r["route"], r["status"], r["api_key_id"], r["user_id"]) for r in found]
    assert told == [
        ("POST", "/sessions", 200, None, admin_id),
        ("POST", "/api-keys", 201, None, admin_id),
        ("POST", "/users", 201, key["id"], admin_id),
        ("PATCH", "/users/{user_id}", 200, None, admin_id),
    ]
    assert found[3]["parameters"] == {"user_id": user["id"]}
    assert {r["source"] for r in found} == {"127.0.0.1"}
    assert [r["role"] for r in found] == [None, "admin", "admin", "admin"]
    assert found[3]["trace"] == TRACE
    assert PASSWORD not in str(found)
    assert key["key"] not in str(found)


async def test_what_was_refused_is_told_once_for_many(database: str) -> None:
    async with users(database, "diagnostics", sign_in_attempts=4) as strum:
        viewer = await client(strum, "v@example.org", Role.VIEWER)
        viewer_id = (await viewer.get("/me"))[1]["id"]
        api = await client(strum, ADMIN)
        for _ in range(6):
            await strum.nobody().post("/sessions", {"email": "v@example.org", "password": "wrong"})
        for _ in range(20):
            await strum.nobody().post("/users", {})
            await viewer.post("/users", {})
        async with asyncio.timeout(5):
            while len(found := [r for r in await _records(api, 2) if r["status"] >= 400]) < 4 or _counted(found) < 46:
                await asyncio.sleep(0.05)

    by_kind: dict[tuple[str, str, str | None], int] = {}
    for record in found:
        kind = (record["route"], record["code"], record["user_id"])
        by_kind[kind] = by_kind.get(kind, 0) + record["count"]
    assert by_kind == {
        ("/sessions", "wrong_credentials", viewer_id): 4,
        ("/sessions", "too_many_attempts", None): 2,
        ("/users", "unauthenticated", None): 20,
        ("/users", "forbidden", viewer_id): 20,
    }
    assert len(found) < 30


def _counted(records: list[dict[str, Any]]) -> int:
    return sum(record["count"] for record in records)


async def test_only_an_administrator_reads_it_by_page_and_filter(database: str) -> None:
    async with users(database, "diagnostics") as strum:
        for role in (Role.OPERATOR, Role.VIEWER, Role.DRIVER):
            other = await client(strum, f"{role}@example.org", role)
            assert (await other.get("/audit-records"))[0] == 403
        api = await client(strum, ADMIN)
        for name in "abc":
            await api.patch("/me", {"name": name})
        await _records(api, 7)
        assert len(await _records(api, 3, route="/me", method="PATCH", status=200, source="127.0.0.1")) == 3
        assert await _records(api, 0, user_id="nobody") == []
        assert await _records(api, 0, until="2020-01-01T00:00:00Z") == []
        seen: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            _, page = await api.get("/audit-records", limit=2, **cursor)
            seen += [record["request_id"] for record in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert seen == sorted(set(seen), reverse=True)
        assert len(seen) == 7


async def test_no_record_is_ever_changed_and_it_is_in_no_other_list(database: str) -> None:
    async with users(database, "diagnostics") as strum:
        api = await client(strum, ADMIN)
        await api.patch("/me", {"name": "a"})
        await _records(api, 2)
        assert not [item for item in (await api.get("/events"))[1]["items"] if item["key"] == RequestAudited.key]
        partition = (await execute(database, "SELECT tableoid::regclass::text FROM diagnostics.audit_records"))[0][0]
        for table in ("diagnostics.audit_records", partition):
            for change in (f"UPDATE {table} SET user_id = 'other'", f"DELETE FROM {table}"):
                with pytest.raises(DBAPIError, match=r"never changed|permission denied"):
                    await execute(database, change)
        with pytest.raises(DBAPIError, match=r"never changed|permission denied"):
            await execute(database, "TRUNCATE diagnostics.audit_records")
        assert len(await _records(api, 2)) == 2


async def test_a_record_is_published_twice_and_kept_once(database: str) -> None:
    async with users(database, "diagnostics") as strum:
        api = await client(strum, ADMIN)
        (told,) = await strum.hear(RequestAudited)
        await strum.publish(told, told)
        await strum.publish(told)
        await api.patch("/me", {"name": "a"})
        assert len(await _records(api, 2)) == 2


async def test_a_record_and_its_effects_are_committed_together(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        api = strum.api()
        assert (await api.post("/notes", {"text": "a"}))[0] == 201
        assert (await api.post("/notes", {"text": "break"}))[0] == 500
        told = await strum.hear(RequestAudited, 2)
        assert [(record.status, record.code) for record in told] == [(201, None), (500, "internal")]
        await execute(database, "ALTER TABLE probe.outbox RENAME TO away")
        assert (await api.post("/notes", {"text": "b"}))[0] == 503
        assert await texts(database) == ["a"], "nothing is done that is not told"
        await execute(database, "ALTER TABLE probe.away RENAME TO outbox")
        told = await strum.hear(RequestAudited, 3)
        assert [(record.status, record.code) for record in told[2:]] == [(503, "unavailable")]


async def test_what_is_answered_after_the_commit_is_told_before_and_after(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a process that dies in between leaves a record of what it did."""
    async with probing(database, monkeypatch) as strum:
        for text in ("a", "refuse", "away"):
            Probe.answered = 0
            await strum.api().post("/notes/later", {"text": text})
        told = await strum.hear(RequestAudited, 6)
        begun = {record.request_id for record in told if record.status is None}
        ended = {record.request_id: record.status for record in told if record.status is not None}
        assert begun == set(ended)
        assert sorted(ended.values()) == [200, 409, 503]


async def test_refusals_are_bounded_however_many_kinds_there_are(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with probing(database, monkeypatch) as strum:
        monkeypatch.setattr(audit, "_EVERY_S", 1.0)
        calls = (strum.api(Role.VIEWER, f"u-{number}").post("/notes", {"text": "a"}) for number in range(200))
        assert {status for status, _ in await asyncio.gather(*calls)} == {403}
        async with asyncio.timeout(5):
            while sum(record.count for record in strum.heard(RequestAudited)) < 200:
                await asyncio.sleep(0.05)
        told = strum.heard(RequestAudited)
        assert len(told) <= 3 * 51
        assert any(record.route == "" and record.count > 10 for record in told)


async def test_what_is_gathered_while_records_cannot_be_stored_is_counted_and_bounded() -> None:
    """The database is away for as many intervals as there are sources that are refused meanwhile."""
    away = Away()
    trail = audit.AuditTrail(cast("ModuleContext", away))
    route = catalogue.load("users").routes[0]
    refused = replace(route, method="POST")
    for interval in range(20):
        away.meanwhile = [audit.Asked(refused, f"{interval}.{number}", {}, "") for number in range(40)]
        away.trail = trail
        trail.tell_later(audit.Asked(refused, "always the same", {}, ""), 403)
        await trail.flush()
    kept = list(trail._refused.values())
    assert sum(record.count for record in kept) == 20 * 41
    assert [record.count for record in kept if record.source == "always the same"] == [20]
    assert len(kept) <= audit._KINDS + 1


class Away:
    """A module whose database is away; requests are refused while a flush tries it."""

    meanwhile: Sequence[audit.Asked] = ()
    trail: audit.AuditTrail

    @asynccontextmanager
    async def work(self) -> AsyncIterator[None]:
        for asked in self.meanwhile:
            self.trail.tell_later(asked, 403)
        raise Unavailable
        yield


def test_every_module_that_changes_something_by_the_api_is_audited() -> None:
    """The record is the host's: no route can leave it out."""
    changing = [route for name in catalogue.NAMES for route in catalogue.load(name).routes if route.method != "GET"]
    assert changing
    assert all(audit.Asked(route, "", {}, "").changes for route in changing)
