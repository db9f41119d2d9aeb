"""Sessions by the API: signing in, refresh tokens, signing out."""

import asyncio
import logging
from typing import Any

import asyncpg
import pytest
from argon2 import extract_parameters

from shared_contracts.users import Role
from tests.harness import Running
from tests.modules.users.people import PASSWORD, account, bearer, sign_in, users

EMAIL = "olena@example.org"


async def _refresh(strum: Running, token: str) -> tuple[int, Any]:
    return await strum.nobody().post("/sessions/refresh", {"refresh_token": token})


async def _sql(database: str, query: str, *values: Any) -> Any:
    connection = await asyncpg.connect(database.replace("+asyncpg", ""))
    try:
        return await connection.fetch(query, *values)
    finally:
        await connection.close()


async def test_an_access_token_opens_the_api(database: str) -> None:
    async with users(database) as strum:
        user_id = await account(strum, EMAIL, Role.OPERATOR)

        session = await sign_in(strum, "OLENA@Example.org")
        status, me = await bearer(strum, session["access_token"]).get("/me")

        assert (session["token_type"], session["expires_in"]) == ("Bearer", 600)
        assert session["user"] == {name: me[name] for name in session["user"]}
        assert (status, me["id"], me["role"]) == (200, user_id, "operator")
        assert "users:read" not in me["scopes"]


async def test_a_wrong_password_an_unknown_and_an_inactive_account_get_the_same_answer(database: str) -> None:
    async with users(database) as strum:
        await account(strum, "admin@example.org")
        user_id = await account(strum, EMAIL)
        api = bearer(strum, (await sign_in(strum, "admin@example.org"))["access_token"])
        await api.patch(f"/users/{user_id}", {"active": False})

        answers = []
        for email, password in [("admin@example.org", "wrong" * 3), ("nobody@x", PASSWORD), (EMAIL, PASSWORD)]:
            status, problem = await strum.nobody().post("/sessions", {"email": email, "password": password})
            problem.pop("trace")
            answers.append((status, problem))

        assert answers[0][0] == 401
        assert answers[0][1]["code"] == "wrong_credentials"
        assert answers[0] == answers[1] == answers[2]


async def test_guessing_is_slowed_down_for_the_account_and_address_only(database: str) -> None:
    async with users(database, sign_in_attempts=3) as strum:
        await account(strum, EMAIL)
        await account(strum, "other@example.org")
        api = strum.nobody()
        guesses = [api.post("/sessions", {"email": EMAIL, "password": f"guess number {n}"}) for n in range(12)]
        statuses = sorted([status for status, _ in await asyncio.gather(*guesses)])

        assert statuses == [401] * 3 + [429] * 9
        status, problem = await api.post("/sessions", {"email": EMAIL, "password": PASSWORD})
        assert (status, problem["code"]) == (429, "too_many_attempts")
        assert 0 < problem["retry_after_s"] <= 600
        assert api.response.headers["Retry-After"] == str(problem["retry_after_s"])
        await sign_in(strum, "other@example.org")


async def test_a_refresh_token_is_used_once_and_gives_the_next(database: str) -> None:
    async with users(database) as strum:
        await account(strum, EMAIL)
        first = await sign_in(strum, EMAIL)

        status, second = await _refresh(strum, first["refresh_token"])
        assert status == 200
        assert second["refresh_token"] != first["refresh_token"]
        assert (await bearer(strum, second["access_token"]).get("/me"))[0] == 200
        assert (await _refresh(strum, second["refresh_token"]))[0] == 200


async def test_a_second_use_of_a_refresh_token_ends_the_session_and_no_other(database: str) -> None:
    async with users(database) as strum:
        await account(strum, EMAIL)
        stolen, elsewhere = await sign_in(strum, EMAIL), await sign_in(strum, EMAIL)
        _, latest = await _refresh(strum, stolen["refresh_token"])

        status, problem = await _refresh(strum, stolen["refresh_token"])
        assert (status, problem["code"]) == (401, "refresh_refused")
        assert (await _refresh(strum, latest["refresh_token"]))[0] == 401
        assert (await _refresh(strum, elsewhere["refresh_token"]))[0] == 200


async def test_of_two_uses_at_once_one_wins_and_the_session_ends(database: str) -> None:
    async with users(database) as strum:
        await account(strum, EMAIL)
        token = (await sign_in(strum, EMAIL))["refresh_token"]

        answers = await asyncio.gather(*(_refresh(strum, token) for _ in range(4)))

        assert sorted(status for status, _ in answers) == [200, 401, 401, 401]
        (given,) = [body["refresh_token"] for status, body in answers if status == 200]
        assert (await _refresh(strum, given))[0] == 401


async def test_an_expired_refresh_token_and_one_of_an_inactive_person_are_refused(database: str) -> None:
    async with users(database) as strum:
        await account(strum, EMAIL)
        token = (await sign_in(strum, EMAIL))["refresh_token"]
        await _sql(database, "UPDATE users.users SET active = false")
        assert (await _refresh(strum, token))[0] == 401
        await _sql(database, "UPDATE users.users SET active = true")
        await _sql(database, "UPDATE users.refresh_tokens SET expires_at = now()")

        assert (await _refresh(strum, token))[0] == 401


async def test_a_token_that_is_none_is_refused(database: str) -> None:
    async with users(database) as strum:
        for token in ("x", "x" * 1024, "é", "../../etc"):
            assert (await _refresh(strum, token))[0] == 401


async def test_signing_out_ends_the_session(database: str) -> None:
    async with users(database) as strum:
        await account(strum, EMAIL)
        one, other = await sign_in(strum, EMAIL), await sign_in(strum, EMAIL)

        body = {"refresh_token": one["refresh_token"]}
        assert (await strum.nobody().post("/sessions/sign-out", body))[0] == 204
        assert (await strum.nobody().post("/sessions/sign-out", body))[0] == 204
        assert (await _refresh(strum, one["refresh_token"]))[0] == 401
        assert (await bearer(strum, other["access_token"]).delete("/sessions"))[0] == 204
        assert (await _refresh(strum, other["refresh_token"]))[0] == 401


async def test_a_hash_of_weaker_parameters_is_replaced_when_its_person_signs_in(database: str) -> None:
    async with users(database) as strum:
        await account(strum, EMAIL)
    async with users(database, password_passes=4) as strum:
        await sign_in(strum, EMAIL)
        await sign_in(strum, EMAIL)

    ((stored,),) = await _sql(database, "SELECT password_hash FROM users.users")
    assert extract_parameters(stored).time_cost == 4


async def test_neither_the_database_nor_the_log_holds_a_secret(
    database: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with users(database) as strum:
        await account(strum, EMAIL)
        session = await sign_in(strum, EMAIL)
        api = bearer(strum, session["access_token"])
        _, key = await api.post("/api-keys", {"name": "x"}, Idempotency_Key="once")
        _, second = await _refresh(strum, session["refresh_token"])
        await _refresh(strum, session["refresh_token"])
        await strum.nobody().post("/sessions", {"email": EMAIL, "password": "canary in the mine"})
        await strum.nobody().post("/sessions", {"email": EMAIL, "password": ["canary in the mine"]})

    tables = ("users", "sessions", "refresh_tokens", "api_keys", "outbox", "idempotency")
    stored = "".join([str(await _sql(database, f"SELECT t::text FROM users.{table} t")) for table in tables])
    written = caplog.text + "".join(capfd.readouterr())
    assert "sign_in_refused" in written
    for secret in (PASSWORD, "canary", session["access_token"], second["refresh_token"], key["key"]):
        assert secret not in stored + written
