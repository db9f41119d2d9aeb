"""T2: whoever guesses passwords is slowed down by all processes together, and the person is never shut out."""

import asyncio

import pytest

from modules.kernel.work import Work
from modules.users import passwords
from modules.users.repository import attempts
from tests.harness import Running
from tests.management_service.probe import execute
from tests.modules.users.people import PASSWORD, account, bearer, sign_in, users

EMAIL = "driver@example.org"
LIMITS = {"sign_in_attempts": 3, "sign_in_source_attempts": 6, "sign_in_account_attempts": 6}


async def _try(strum: Running, email: str, password: str = "wrong") -> tuple[int, str]:
    status, body = await strum.nobody().post("/sessions", {"email": email, "password": password})
    return status, body.get("code", "")


async def _elsewhere(database: str) -> None:
    """Let what was counted so far have come from another address: the failures there, and the address itself."""
    await execute(
        database,
        "UPDATE users.sign_in_failures SET place = gen_random_uuid() || place WHERE place NOT LIKE 'account:%'",
    )
    await execute(database, "UPDATE users.known_sources SET place = gen_random_uuid() || place")


async def test_after_so_many_failures_an_account_waits_at_this_address(database: str) -> None:
    async with users(database, **LIMITS) as strum:
        await account(strum, EMAIL)
        assert [(await _try(strum, EMAIL))[0] for _ in range(3)] == [401] * 3
        api = strum.nobody()
        status, problem = await api.post("/sessions", {"email": EMAIL.upper(), "password": PASSWORD})
        assert (status, problem["code"]) == (429, "too_many_attempts")
        assert api.response is not None
        assert 590 <= int(api.response.headers["Retry-After"]) <= 600
        await execute(database, "UPDATE users.sign_in_failures SET first_at = first_at - interval '600 s'")
        await sign_in(strum, EMAIL)


async def test_another_process_counts_on_where_this_one_stopped(database: str) -> None:
    async with users(database, **LIMITS) as strum:
        await account(strum, EMAIL)
        assert [(await _try(strum, EMAIL))[0] for _ in range(2)] == [401] * 2
    async with users(database, **LIMITS) as strum:
        assert [(await _try(strum, EMAIL))[0] for _ in range(2)] == [401, 429]


async def test_attempts_at_once_count_too(database: str) -> None:
    async with users(database, **LIMITS) as strum:
        await account(strum, EMAIL)
        statuses = await asyncio.gather(*(_try(strum, EMAIL) for _ in range(12)))
        assert sorted(status for status, _ in statuses) == [401] * 3 + [429] * 9


async def test_an_address_that_tries_many_accounts_waits_but_who_came_from_there_before_does_not(database: str) -> None:
    async with users(database, **LIMITS) as strum:
        await account(strum, EMAIL)
        await account(strum, "stranger@example.org")
        await sign_in(strum, EMAIL)
        assert [(await _try(strum, f"{number}@example.org"))[0] for number in range(7)] == [401] * 6 + [429]
        assert (await _try(strum, "stranger@example.org", PASSWORD))[0] == 429
        await sign_in(strum, EMAIL)


async def test_an_account_that_many_addresses_try_opens_to_its_person(database: str) -> None:
    """Guesses from everywhere: the address that is known, and the session that is open, still work."""
    async with users(database, **LIMITS) as strum:
        await account(strum, EMAIL)
        session = await sign_in(strum, EMAIL)
        known = (await execute(database, "SELECT place FROM users.known_sources"))[0][0]
        await _elsewhere(database)
        for _ in range(2):
            assert [(await _try(strum, EMAIL))[0] for _ in range(3)] == [401] * 3
            await _elsewhere(database)
        assert await _try(strum, EMAIL, PASSWORD) == (429, "too_many_attempts"), "an address that was never used"
        await execute(database, "UPDATE users.known_sources SET place = :place", place=known)
        await execute(database, "DELETE FROM users.sign_in_failures WHERE place LIKE 'pair:%'")
        await sign_in(strum, EMAIL)
        body = {"refresh_token": session["refresh_token"]}
        status, refreshed = await strum.nobody().post("/sessions/refresh", body)
        assert status == 200
        assert (await bearer(strum, refreshed["access_token"]).get("/me"))[0] == 200


async def test_the_right_password_takes_the_failures_of_its_account_back_but_not_those_of_its_address(
    database: str,
) -> None:
    async with users(database, **LIMITS) as strum:
        await account(strum, EMAIL)
        for _ in range(2):
            assert [(await _try(strum, EMAIL))[0] for _ in range(2)] == [401] * 2
            await sign_in(strum, EMAIL)
        counts = dict(await execute(database, "SELECT split_part(place, ':', 1), count FROM users.sign_in_failures"))
        assert counts == {"source": 2, "account": 2}, (
            "none of the pair; those after the address was known are its alone"
        )


async def test_nothing_that_was_typed_is_stored(database: str) -> None:
    async with users(database, **LIMITS) as strum:
        await _try(strum, "my secret password")
        rows = await execute(database, "SELECT place FROM users.sign_in_failures")
        assert len(rows) == 3
        assert all("secret" not in place for (place,) in rows)


async def test_who_has_to_wait_counts_against_nobody(database: str) -> None:
    """Else one address could shut an account to all addresses that are new, and fill the table as fast as it asks."""
    async with users(database, **LIMITS) as strum:
        await account(strum, EMAIL)
        for _ in range(10):
            await _try(strum, EMAIL)
        counts = dict(await execute(database, "SELECT split_part(place, ':', 1), count FROM users.sign_in_failures"))
        assert counts == {"pair": 3, "source": 3, "account": 3}
        for number in range(10):
            await _try(strum, f"{number}@example.org")
        ((rows,),) = await execute(database, "SELECT count(*) FROM users.sign_in_failures")
        assert rows == 3 + 2 * 3, "of three more accounts, until the address had to wait"


async def test_trouble_of_ours_is_no_failure_of_the_person(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with users(database, **LIMITS) as strum:
        await account(strum, EMAIL)
        with monkeypatch.context() as crowded:
            crowded.setattr(passwords, "_MOST_WAITING", 0)
            assert [(await _try(strum, EMAIL, PASSWORD))[0] for _ in range(5)] == [503] * 5
        me = bearer(strum, (await sign_in(strum, EMAIL))["access_token"])
        with monkeypatch.context() as crowded:
            crowded.setattr(passwords, "_MOST_WAITING", 0)
            change = {"current_password": PASSWORD, "password": PASSWORD + " 2"}
            assert [(await me.put("/me/password", change))[0] for _ in range(5)] == [503] * 5
        await sign_in(strum, EMAIL)


async def test_a_new_password_that_does_not_do_is_no_failure(database: str) -> None:
    async with users(database, **LIMITS) as strum:
        await account(strum, EMAIL)
        me = bearer(strum, (await sign_in(strum, EMAIL))["access_token"])
        unfit = {"current_password": PASSWORD, "password": EMAIL}
        assert [(await me.put("/me/password", unfit))[0] for _ in range(5)] == [422] * 5
        assert (await me.put("/me/password", unfit | {"password": PASSWORD + " 2"}))[0] == 204


async def test_who_signs_in_while_another_tries_does_not_wait_for_them_in_a_circle(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with users(database) as strum:
        await account(strum, EMAIL)
        assert (await _try(strum, EMAIL))[0] == 401
        others: list[asyncio.Task[tuple[int, str]]] = []
        forget = attempts.forget

        async def forget_while_another_tries(work: Work, place: str) -> None:
            await forget(work, place)
            others.append(asyncio.create_task(_try(strum, EMAIL)))
            waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            while not await execute(database, waiting):
                await asyncio.sleep(0.01)

        monkeypatch.setattr(attempts, "forget", forget_while_another_tries)
        await sign_in(strum, EMAIL)
        (other,) = others
        assert (await other)[0] == 401
