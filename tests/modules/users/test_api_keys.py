"""API keys by the API, used as credentials."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from modules.kernel.scopes import SCOPES, Scope
from shared_contracts.transactions import TransactionStarted
from shared_contracts.users import Role, VerifyApiKey
from tests.harness import Client, Running
from tests.modules.transactions.messages import start
from tests.modules.users.people import PASSWORD, account, bearer, client, sign_in, users

ADMIN, EMAIL = "admin@example.org", "olena@example.org"


async def _key(api: Client, **body: Any) -> dict[str, Any]:
    status, key = await api.post("/api-keys", {"name": "reader"} | body)
    assert status == 201, key
    return key


async def _verified(strum: Running, key: dict[str, Any]) -> Any:
    return await strum.ask(VerifyApiKey(key_hash=hashlib.sha256(key["key"].encode()).hexdigest()))


async def test_a_key_opens_what_its_maker_may_do(database: str) -> None:
    async with users(database) as strum:
        api = await client(strum, ADMIN)
        key = await _key(api)
        by_key = bearer(strum, key["key"])

        assert key["key"].startswith("strum_")
        assert key["key"].startswith(key["hint"])
        assert (await by_key.get("/users"))[0] == 200
        assert (await by_key.get("/me"))[1]["email"] == ADMIN
        _, seen = await api.get(f"/api-keys/{key['id']}")
        assert "key" not in seen
        assert seen["last_used_at"] is not None


async def test_a_key_opens_its_scopes_only(database: str) -> None:
    async with users(database) as strum:
        key = await _key(await client(strum, ADMIN), scopes=["users:read"])
        by_key = bearer(strum, key["key"])

        assert (await by_key.get("/users"))[0] == 200
        assert (await by_key.post("/users", {"email": EMAIL, "role": "admin"}))[0] == 403
        assert (await by_key.get("/me"))[0] == 403


BEYOND: tuple[tuple[Role, dict[str, Any]], ...] = (
    (Role.VIEWER, {"role": "admin"}),
    (Role.VIEWER, {"scopes": ["users:write"]}),
    (Role.DRIVER, {"role": "viewer", "scopes": ["transactions:read"]}),
    (Role.OPERATOR, {"role": "admin", "scopes": ["stations:read"]}),
)


async def test_nobody_makes_a_key_that_opens_more_than_they_may(database: str) -> None:
    async with users(database) as strum:
        for maker, body in BEYOND:
            await account(strum, f"{maker}@example.org", maker)
            api = bearer(strum, (await sign_in(strum, f"{maker}@example.org"))["access_token"])
            status, problem = await api.post("/api-keys", {"name": "more"} | body)

            assert (status, problem["code"]) == (403, "beyond_own_scopes"), (maker, body)


async def test_a_key_of_few_scopes_makes_no_administrator(database: str) -> None:
    async with users(database) as strum:
        api = await client(strum, ADMIN)
        other = await account(strum, EMAIL, Role.ADMIN)
        by_key = bearer(strum, (await _key(api, scopes=["profile", "users:write"]))["key"])

        for status, problem in (
            await by_key.post("/users", {"email": "x@y", "role": "admin"}),
            await by_key.put(f"/users/{other}/password", {"password": PASSWORD}),
            await by_key.patch(f"/users/{other}", {"email": "mine@x"}),
            await by_key.delete(f"/users/{other}"),
        ):
            assert (status, problem["code"]) == (403, "beyond_own_scopes")


async def test_a_key_makes_no_keys(database: str) -> None:
    """Otherwise what it may do would outlive it."""
    async with users(database) as strum:
        api = await client(strum, ADMIN)
        soon = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
        for body in ({}, {"expires_at": soon}, {"scopes": ["profile"]}):
            by_key = bearer(strum, (await _key(api, **body))["key"])
            status, problem = await by_key.post("/api-keys", {"name": "heir"} | body)
            assert (status, problem["code"]) == (403, "api_key_makes_none"), body

        assert {key["name"] for key in (await api.get("/api-keys"))[1]["items"]} == {"reader"}


async def test_a_drivers_key_stays_one_whatever_its_owner_becomes(database: str) -> None:
    async with users(database, "authorization", "transactions") as strum:
        admin = await client(strum, ADMIN)
        owner_id = await account(strum, EMAIL, Role.OPERATOR)
        key = await _key(bearer(strum, (await sign_in(strum, EMAIL))["access_token"]), role="driver")
        by_key = bearer(strum, key["key"])
        await _charge(strum, admin, OWN=owner_id, OTHER=None)
        for role in (Role.VIEWER, Role.ADMIN, Role.DRIVER):
            assert (await admin.patch(f"/users/{owner_id}", {"role": role}))[0] == 200
            await _opens(by_key, SCOPES[Role.DRIVER] & SCOPES[role])
            _, page = await by_key.get("/transactions")

            assert [item["id_token"] for item in page["items"]] == ["OWN"], role
            assert (await _verified(strum, key)).role is Role.DRIVER


async def test_a_key_of_a_person_who_becomes_a_driver_sees_their_own_alone(database: str) -> None:
    async with users(database, "authorization", "transactions") as strum:
        admin = await client(strum, ADMIN)
        owner_id = await account(strum, EMAIL, Role.VIEWER)
        by_key = bearer(strum, (await _key(bearer(strum, (await sign_in(strum, EMAIL))["access_token"])))["key"])
        await _charge(strum, admin, OWN=owner_id, OTHER=None)
        assert len((await by_key.get("/transactions"))[1]["items"]) == 2
        assert (await admin.patch(f"/users/{owner_id}", {"role": "driver"}))[0] == 200
        await _opens(by_key, SCOPES[Role.VIEWER] & SCOPES[Role.DRIVER])
        _, page = await by_key.get("/transactions")

        assert [item["id_token"] for item in page["items"]] == ["OWN"]
        assert (await by_key.post(f"/transactions/{page['items'][0]['id']}/stop"))[0] == 403


async def _charge(strum: Running, admin: Client, **drivers: str | None) -> None:
    """Each of these tokens begins a transaction, at a charging station of its own name."""
    for token, driver_id in drivers.items():
        assert (await admin.post("/id-tokens", {"value": token, "type": "ISO14443", "driver_id": driver_id}))[0] == 201
        assert (await strum.ask(start(station_id=token, id_token=token))).status == "accepted"
    await strum.hear(TransactionStarted, len(drivers))


async def _opens(by_key: Client, scopes: frozenset[Scope]) -> None:
    """Wait until the key opens these: that its owner's role changed is heard within moments."""
    async with asyncio.timeout(5):
        while (opened := set((await by_key.get("/me"))[1]["scopes"])) != scopes:
            assert opened, "a key that rests"
            await asyncio.sleep(0.02)


async def test_a_revoked_key_is_refused_at_once(database: str) -> None:
    async with users(database) as strum:
        api = await client(strum, ADMIN)
        key = await _key(api)
        by_key = bearer(strum, key["key"])
        assert (await by_key.get("/me"))[0] == 200

        assert (await api.delete(f"/api-keys/{key['id']}"))[0] == 204
        await strum.publish()
        assert await _verified(strum, key) == (await _verified(strum, {"key": "strum_none"}))
        assert (await _until_refused(by_key))[0] == 401


async def _until_refused(by_key: Client) -> tuple[int, Any]:
    """The event that tells of the change travels by the outbox; a key is remembered for 10 s without it."""
    deadline = datetime.now(UTC) + timedelta(seconds=5)
    while (answer := await by_key.get("/me"))[0] == 200 and datetime.now(UTC) < deadline:
        pass
    return answer


async def test_a_key_of_an_inactive_person_rests(database: str) -> None:
    async with users(database) as strum:
        api = await client(strum, ADMIN)
        user_id = await account(strum, EMAIL, Role.OPERATOR)
        key = await _key(bearer(strum, (await sign_in(strum, EMAIL))["access_token"]))
        by_key = bearer(strum, key["key"])
        assert (await by_key.get("/me"))[0] == 200

        await api.patch(f"/users/{user_id}", {"active": False})
        assert (await _until_refused(by_key))[0] == 401
        await api.patch(f"/users/{user_id}", {"active": True})
        assert (await by_key.get("/me"))[0] == 200


async def test_a_key_may_expire(database: str) -> None:
    async with users(database) as strum:
        api = await client(strum, ADMIN)
        soon = datetime.now(UTC) + timedelta(seconds=0.3)
        key = await _key(api, expires_at=soon.isoformat())

        assert (await _verified(strum, key)).user_id is not None
        while datetime.now(UTC) <= soon:
            pass
        assert (await _verified(strum, key)).user_id is None
        status, problem = await api.post("/api-keys", {"name": "late", "expires_at": soon.isoformat()})
        assert (status, problem["errors"][0]["field"]) == (422, "expires_at")


async def test_everybody_sees_and_revokes_their_own_keys_and_administrators_all(database: str) -> None:
    async with users(database) as strum:
        admin, driver = await client(strum, ADMIN), await client(strum, EMAIL, Role.DRIVER)
        of_admin, of_driver = await _key(admin), await _key(driver)

        async def ids(api: Client, **query: Any) -> list[str]:
            return [key["id"] for key in (await api.get("/api-keys", **query))[1]["items"]]

        assert await ids(driver) == await ids(driver, user_id=of_admin["user_id"]) == [of_driver["id"]]
        assert await ids(admin) == [of_admin["id"], of_driver["id"]]
        assert await ids(admin, user_id=of_driver["user_id"]) == [of_driver["id"]]
        assert (await driver.get(f"/api-keys/{of_admin['id']}"))[0] == 404
        assert (await driver.delete(f"/api-keys/{of_admin['id']}"))[0] == 404
        assert (await admin.delete(f"/api-keys/{of_driver['id']}"))[0] == 204


UNFIT: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "name"),
    ({"name": "x", "scopes": []}, "scopes"),
    ({"name": "x", "scopes": ["all"]}, "scopes.0"),
    ({"name": "x", "expires_at": "2030-01-01"}, "expires_at"),
)


async def test_nobody_has_more_keys_than_one_may(database: str) -> None:
    async with users(database, api_keys_per_user=3) as strum:
        api = await client(strum, ADMIN)
        made = await asyncio.gather(*(api.post("/api-keys", {"name": str(number)}) for number in range(8)))
        refused = [problem["code"] for status, problem in made if status == 409]
        keys = [key["id"] for status, key in made if status == 201]

        assert (len(keys), refused) == (3, ["too_many_api_keys"] * 5)
        await api.delete(f"/api-keys/{keys[0]}")
        soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
        assert (await api.post("/api-keys", {"name": "short", "expires_at": soon}))[0] == 201
        assert (await api.post("/api-keys", {"name": "again"}))[0] == 409
        await asyncio.sleep(1.2)
        assert (await api.post("/api-keys", {"name": "again"}))[0] == 201, "one that expired makes room"


async def test_a_field_that_does_not_fit_is_named(database: str) -> None:
    async with users(database) as strum:
        api = await client(strum, ADMIN)
        for body, field in UNFIT:
            status, problem = await api.post("/api-keys", body)

            assert (status, problem["errors"][0]["field"]) == (422, field), body
