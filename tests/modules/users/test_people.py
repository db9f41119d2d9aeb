"""People by the API."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from modules.users.passwords import Passwords
from shared_contracts.bus import RequestFailed
from shared_contracts.users import CreateUser, GetPersonStanding, PersonStanding, Role, UserChanged
from tests.modules.users.people import PASSWORD, account, bearer, client, comes_to, sign_in, users

ADMIN, EMAIL = "admin@example.org", "olena@example.org"


async def test_an_account_is_made_found_changed_and_removed(database: str) -> None:
    async with users(database) as strum:
        api = await client(strum, ADMIN)
        body = {"email": EMAIL, "name": "Olena", "role": "viewer", "password": PASSWORD}

        status, made = await api.post("/users", body)
        path = f"/users/{made['id']}"
        assert (status, made["role"], made["active"], made["password"]) == (201, "viewer", True, None)
        _, changed = await api.patch(path, {"role": "operator", "email": "o@example.org"})
        assert (changed["role"], changed["email"], changed["name"]) == ("operator", "o@example.org", "Olena")
        assert (await sign_in(strum, "o@example.org"))["user"]["role"] == "operator"
        assert (await api.get(path))[1] == changed
        assert (await api.delete(path))[0] == 204
        assert (await api.get(path))[0] == 404
        heard = [event for event in await strum.hear(UserChanged, 4) if event.user_id == made["id"]]
        assert [(event.role, event.active, event.removed) for event in heard] == [
            (Role.VIEWER, True, False),
            (Role.OPERATOR, True, False),
            (Role.OPERATOR, False, True),
        ]


async def test_a_password_that_is_not_given_is_made_and_shown_once(database: str) -> None:
    async with users(database) as strum:
        api = await client(strum, ADMIN)
        _, made = await api.post("/users", {"email": EMAIL, "role": "driver"})

        await sign_in(strum, EMAIL, made["password"])
        assert "password" not in (await api.get(f"/users/{made['id']}"))[1]


async def test_a_second_account_with_the_address_is_a_conflict(database: str) -> None:
    async with users(database) as strum:
        api = await client(strum, ADMIN)
        _, other = await api.post("/users", {"email": EMAIL, "role": "driver"})

        assert (await api.post("/users", {"email": EMAIL.upper(), "role": "driver"}))[1]["code"] == "email_taken"
        status, problem = await api.patch(f"/users/{other['id']}", {"email": ADMIN.title()})
        assert (status, problem["code"]) == (409, "email_taken")


UNFIT: tuple[tuple[dict[str, Any], str], ...] = (
    ({"email": EMAIL}, "role"),
    ({"email": "nobody", "role": "viewer"}, "email"),
    ({"email": EMAIL, "role": "king"}, "role"),
    ({"email": EMAIL, "role": "viewer", "password": "short"}, "password"),
    ({"email": EMAIL, "role": "viewer", "password": "x" * 129}, "password"),
    ({"email": EMAIL, "role": "viewer", "password": "I am olena, no?"}, "password"),
    ({"email": EMAIL, "role": "viewer", "active": True}, "active"),
    ({"email": EMAIL, "role": "viewer", "id": "u-1"}, "id"),
)


async def test_a_field_that_does_not_fit_is_named(database: str) -> None:
    async with users(database) as strum:
        api = await client(strum, ADMIN)
        for body, field in UNFIT:
            status, problem = await api.post("/users", body)

            assert (status, problem["errors"][0]["field"]) == (422, field), body
            assert "olena, no?" not in str(problem)


async def test_an_edit_of_an_outdated_revision_is_refused(database: str) -> None:
    async with users(database) as strum:
        api = await client(strum, ADMIN)
        user_id = await account(strum, EMAIL, Role.VIEWER)

        assert (await api.patch(f"/users/{user_id}", {"name": "A"}, If_Match='"1"'))[0] == 200
        status, problem = await api.patch(f"/users/{user_id}", {"name": "B"}, If_Match='"1"')
        assert (status, problem["revision"]) == (412, 2)
        assert (await api.patch(f"/users/{user_id}", {"name": None}))[0] == 422


async def test_who_is_made_inactive_is_signed_out(database: str) -> None:
    async with users(database) as strum:
        api = await client(strum, ADMIN)
        user_id = await account(strum, EMAIL, Role.OPERATOR)
        session = await sign_in(strum, EMAIL)

        await api.patch(f"/users/{user_id}", {"active": False})
        body = {"refresh_token": session["refresh_token"]}
        assert (await strum.nobody().post("/sessions/refresh", body))[0] == 401
        await api.patch(f"/users/{user_id}", {"active": True})
        assert (await strum.nobody().post("/sessions/refresh", body))[0] == 401
        await sign_in(strum, EMAIL)


async def test_nobody_changes_their_own_role(database: str) -> None:
    async with users(database) as strum:
        api = await client(strum, ADMIN)
        await account(strum, EMAIL, Role.ADMIN)
        _, me = await api.get("/me")

        status, problem = await api.patch(f"/users/{me['id']}", {"role": "viewer"})
        assert (status, problem["code"]) == (403, "own_role")


async def test_the_last_administrator_stays(database: str) -> None:
    async with users(database) as strum:
        api = await client(strum, ADMIN)
        _, me = await api.get("/me")
        await account(strum, EMAIL, Role.OPERATOR)

        for status, problem in (
            await api.delete(f"/users/{me['id']}"),
            await api.patch(f"/users/{me['id']}", {"active": False}),
        ):
            assert (status, problem["code"]) == (409, "last_admin")


async def test_two_administrators_who_depose_each_other_at_once_leave_one(database: str) -> None:
    async with users(database) as strum:
        one, other = await client(strum, ADMIN), await client(strum, EMAIL)
        ids = [(await api.get("/me"))[1]["id"] for api in (one, other)]

        answers = await asyncio.gather(
            one.patch(f"/users/{ids[1]}", {"role": "viewer"}), other.patch(f"/users/{ids[0]}", {"role": "viewer"})
        )
        assert sorted(status for status, _ in answers) == [200, 409]


async def test_lists_are_filtered_and_paged(database: str) -> None:
    async with users(database) as strum:
        api = await client(strum, ADMIN)
        for name in "edcba":
            await api.post("/users", {"email": f"{name}@example.org", "name": f"Name {name}", "role": "driver"})

        async def emails(**query: Any) -> list[str]:
            _, page = await api.get("/users", **query)
            return [user["email"] for user in page["items"]]

        assert await emails(role="admin") == [ADMIN]
        assert await emails(search="NAME C") == ["c@example.org"]
        assert await emails(search="%") == []
        assert await emails(active="false") == []
        _, first = await api.get("/users", role="driver", limit=3)
        _, rest = await api.get("/users", role="driver", limit=3, cursor=first["next_cursor"])
        assert [user["email"][0] for user in first["items"] + rest["items"]] == list("abcde")
        assert rest["next_cursor"] is None


async def test_only_administrators_see_and_change_people(database: str) -> None:
    async with users(database) as strum:
        for role in (Role.OPERATOR, Role.VIEWER, Role.DRIVER):
            api = await client(strum, f"{role}@example.org", role)
            _, me = await api.get("/me")

            assert (await api.get("/users"))[0] == 403
            assert (await api.post("/users", {"email": "x@y", "role": "admin"}))[0] == 403
            assert (await api.patch(f"/users/{me['id']}", {"role": "admin"}))[0] == 403
            assert (await api.put(f"/users/{me['id']}/password", {"password": PASSWORD}))[0] == 403
            assert (await api.delete(f"/users/{me['id']}"))[0] == 403
            assert (await api.patch("/me", {"name": "Me"}))[1]["name"] == "Me"
            assert (await api.patch("/me", {"role": "admin"}))[0] == 422


async def test_an_administrator_gives_another_password(database: str) -> None:
    async with users(database) as strum:
        api = await client(strum, ADMIN)
        user_id = await account(strum, EMAIL, Role.VIEWER)
        session = await sign_in(strum, EMAIL)

        assert (await api.put(f"/users/{user_id}/password", {"password": "short"}))[0] == 422
        assert (await api.put(f"/users/{user_id}/password", {"password": "another long one"}))[0] == 204
        await sign_in(strum, EMAIL, "another long one")
        body = {"refresh_token": session["refresh_token"]}
        assert (await strum.nobody().post("/sessions/refresh", body))[0] == 401
        assert (await api.put("/users/none/password", {"password": "another long one"}))[0] == 404


async def test_ones_own_password_takes_the_current_one(database: str) -> None:
    async with users(database, sign_in_attempts=3) as strum:
        await account(strum, EMAIL, Role.DRIVER)
        session = await sign_in(strum, EMAIL)
        api = bearer(strum, session["access_token"])

        wrong = {"current_password": "not this one", "password": "another long one"}
        assert (await api.put("/me/password", wrong))[1]["code"] == "wrong_password"
        assert (await api.put("/me/password", wrong | {"current_password": PASSWORD}))[0] == 204
        body = {"refresh_token": session["refresh_token"]}
        assert (await strum.nobody().post("/sessions/refresh", body))[0] == 401
        await comes_to(lambda: api.get("/me"), 401)
        api = bearer(strum, (await sign_in(strum, EMAIL, "another long one"))["access_token"])
        assert [(await api.put("/me/password", wrong))[0] for _ in range(4)] == [403, 403, 403, 429]


@pytest.mark.parametrize("by", ["oneself", "an administrator"])
async def test_who_signs_in_while_a_password_is_changed_is_out_as_well(
    database: str, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """A hash takes its time, and waits for others: meanwhile the old password opens the API."""
    hashing, held, hash_now = asyncio.Event(), asyncio.Event(), Passwords.hash

    async def hash_later(passwords: Passwords, password: str) -> str:
        hashing.set()
        await held.wait()
        return await hash_now(passwords, password)

    async with users(database) as strum:
        admin, user_id = await client(strum, ADMIN), await account(strum, EMAIL, Role.DRIVER)
        own = bearer(strum, (await sign_in(strum, EMAIL))["access_token"])
        monkeypatch.setattr(Passwords, "hash", hash_later)
        change = {"current_password": PASSWORD, "password": "another long one"}
        if by == "oneself":
            changing = asyncio.create_task(own.put("/me/password", change))
        else:
            changing = asyncio.create_task(admin.put(f"/users/{user_id}/password", {"password": "another long one"}))
        await hashing.wait()
        thief = bearer(strum, (await sign_in(strum, EMAIL))["access_token"])
        assert (await thief.get("/me"))[0] == 200
        held.set()
        assert (await changing)[0] == 204
        await comes_to(lambda: thief.get("/me"), 401)
        own = bearer(strum, (await sign_in(strum, EMAIL, "another long one"))["access_token"])
        assert (await own.get("/me"))[0] == 200


async def test_an_account_is_made_by_message_once(database: str) -> None:
    async with users(database) as strum:
        request = CreateUser(email=ADMIN, role=Role.ADMIN)
        answers = await asyncio.gather(*(strum.ask(request) for _ in range(4)))

        (made,) = [answer for answer in answers if answer.created]
        assert {answer.user_id for answer in answers} == {made.user_id}
        assert [answer.password for answer in answers if not answer.created] == [None] * 3
        await sign_in(strum, ADMIN, made.password)


async def test_a_message_is_held_to_the_same_rules(database: str) -> None:
    async with users(database) as strum:
        for email, password in ((EMAIL, "short"), (EMAIL, ""), ("nobody", PASSWORD)):
            with pytest.raises(RequestFailed, match="unfit_") as refused:
                await strum.ask(CreateUser(email=email, role=Role.ADMIN, password=password))

            assert PASSWORD not in str(refused.value)


async def test_what_a_person_is_now_is_told_to_whoever_may_have_missed_it(database: str) -> None:
    async with users(database) as strum:
        await account(strum, "admin@example.org")
        user_id = await account(strum, "olena@example.org", Role.OPERATOR)
        admin = bearer(strum, (await sign_in(strum, "admin@example.org"))["access_token"])

        async def standing() -> PersonStanding:
            return await strum.ask(GetPersonStanding(user_id=user_id))

        assert await standing() == PersonStanding(role=Role.OPERATOR)
        begun = datetime.now(UTC)
        for _ in range(2):
            await sign_in(strum, "olena@example.org")
        since = (await standing()).signed_in_since
        assert since is not None
        assert begun <= since <= datetime.now(UTC)
        assert (await standing()).signed_in_since == since
        await admin.patch(f"/users/{user_id}", {"role": "viewer"})
        assert (await standing()).role is Role.VIEWER
        await admin.patch(f"/users/{user_id}", {"active": False})
        assert await standing() == await strum.ask(GetPersonStanding(user_id="nobody")) == PersonStanding()
