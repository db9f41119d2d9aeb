"""The keys that sign access tokens."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from pydantic import ValidationError

from modules.users.settings import UsersSettings
from shared_contracts.users import GetVerificationKeys, Role
from tests.harness import Running, running
from tests.modules.users.people import QUICK, account, bearer, sign_in, users

EMAIL = "olena@example.org"


async def _kids(strum: Running) -> list[Any]:
    return [key["kid"] for key in (await strum.ask(GetVerificationKeys())).keys]


async def _make_older(database: str, by: timedelta) -> None:
    connection = await asyncpg.connect(database.replace("+asyncpg", ""))
    await connection.execute("UPDATE users.signing_keys SET created_at = created_at - $1::interval", by)
    await connection.close()


async def test_a_token_carries_its_claims_and_the_id_of_its_key(database: str) -> None:
    async with users(database, access_token_s=60) as strum:
        user_id = await account(strum, EMAIL, Role.VIEWER)
        token = (await sign_in(strum, EMAIL))["access_token"]

        keys = (await strum.ask(GetVerificationKeys())).keys
        decoded = jwt.decode(token, KeySet.import_key_set({"keys": list(keys)}), algorithms=["ES256"])
        claims = decoded.claims
        assert decoded.header["kid"] == keys[0]["kid"]
        assert (claims["iss"], claims["sub"], claims["role"]) == ("strum", user_id, "viewer")
        assert 59 < claims["exp"] - claims["iat"] <= 60
        assert claims["aud"] == "strum-api"
        assert claims["jti"]
        assert not any("d" in key for key in keys)


async def test_replicas_that_start_at_once_agree_on_one_key(database: str) -> None:
    async def started() -> list[Any]:
        async with running(database, "users", users=QUICK) as strum:
            return await _kids(strum)

    seen = await asyncio.gather(*(started() for _ in range(4)))
    assert len(seen[0]) == 1
    assert all(kids == seen[0] for kids in seen)


async def test_the_key_outlives_a_restart(database: str) -> None:
    async with users(database) as strum:
        await account(strum, EMAIL)
        token = (await sign_in(strum, EMAIL))["access_token"]
    async with users(database) as strum:
        assert (await bearer(strum, token).get("/me"))[0] == 200


async def test_an_old_key_is_replaced_and_holds_as_long_as_its_tokens(database: str) -> None:
    async with users(database) as strum:
        await account(strum, EMAIL)
        token = (await sign_in(strum, EMAIL))["access_token"]
        (old,) = await _kids(strum)
    await _make_older(database, timedelta(days=91))
    async with users(database) as strum:
        new, still = await _kids(strum)
        assert (await bearer(strum, token).get("/me"))[0] == 200
        assert still == old
    await _make_older(database, timedelta(days=1))
    async with users(database) as strum:
        assert await _kids(strum) == [new]
        assert (await bearer(strum, token).get("/me"))[0] == 401
        assert (await bearer(strum, (await sign_in(strum, EMAIL))["access_token"]).get("/me"))[0] == 200


async def test_a_new_key_signs_once_everybody_had_time_to_hear_of_it(database: str) -> None:
    async with users(database) as strum:
        await account(strum, EMAIL)
        (old,) = await _kids(strum)
    await _make_older(database, timedelta(days=91))
    async with users(database) as strum:
        new, _ = await _kids(strum)
        assert _kid((await sign_in(strum, EMAIL))["access_token"]) == old
        await _make_older(database, timedelta(minutes=2))
        assert _kid((await sign_in(strum, EMAIL))["access_token"]) == new


def _kid(token: str) -> Any:
    from joserfc.jws import extract_compact  # noqa: PLC0415

    return extract_compact(token.encode()).headers()["kid"]


async def test_a_supplied_key_signs_and_is_not_stored(database: str) -> None:
    pem = ECKey.generate_key("P-256").as_pem(private=True).decode()
    async with users(database) as strum:
        await account(strum, EMAIL)
        (own,) = await _kids(strum)
    async with users(database, signing_key=pem) as strum:
        token = (await sign_in(strum, EMAIL))["access_token"]
        assert _kid(token) == ECKey.import_key(pem).thumbprint()
        assert await _kids(strum) == [_kid(token), own]
        assert (await bearer(strum, token).get("/me"))[0] == 200
    connection = await asyncpg.connect(database.replace("+asyncpg", ""))
    stored = await connection.fetch("SELECT private FROM users.signing_keys WHERE id = $1", _kid(token))
    await connection.close()
    assert [row["private"] for row in stored] == [None]


@pytest.mark.parametrize(
    "pem",
    [
        "",
        "not a key",
        ECKey.generate_key("P-384").as_pem(private=True).decode(),
        ECKey.generate_key("P-256").as_pem(private=False).decode(),
        RSAKey.generate_key(2048).as_pem(private=True).decode(),
    ],
)
def test_a_supplied_key_that_cannot_sign_is_refused_without_being_repeated(pem: str) -> None:
    with pytest.raises(ValidationError) as refused:
        UsersSettings(signing_key=pem)

    assert "private key" in str(refused.value)
    assert not pem or pem not in str(refused.value)
