"""Who calls: access tokens and API keys, as the users module vouches for them."""

import asyncio
import base64
import hashlib
import hmac
import time
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from management_service import auth
from management_service.auth import Authenticator
from modules.kernel.errors import Unauthenticated, Unavailable
from modules.kernel.scopes import SCOPES, Scope
from shared_contracts.bus import Bus, Counters, NoHandler
from shared_contracts.message import Envelope, Reply
from shared_contracts.users import (
    API_KEY_PREFIX,
    ApiKeyVerified,
    GetPersonStanding,
    GetVerificationKeys,
    PersonStanding,
    Role,
    UserChanged,
    VerificationKeys,
    VerifyApiKey,
)
from tests.modules.users.people import account, bearer, sign_in, users

KEY = ECKey.generate_key("P-256", auto_kid=True)
OTHER = ECKey.generate_key("P-256", auto_kid=True)
CLAIMS = {"iss": "strum", "sub": "u-1", "role": "operator", "exp": int(time.time()) + 600}


class Clock:
    """The clocks of this process: the one that can be set, and the monotonic one."""

    def __init__(self) -> None:
        self.set_by_s = self.passed_s = 0.0

    def time(self) -> float:
        return time.time() + self.passed_s + self.set_by_s

    def monotonic(self) -> float:
        return time.monotonic() + self.passed_s


class Users:
    """Answers as the users module, and counts how often it is asked."""

    def __init__(self) -> None:
        self.keys = [KEY]
        self.api_key = ApiKeyVerified()
        self.asked = {GetVerificationKeys.key: 0, VerifyApiKey.key: 0, GetPersonStanding.key: 0}
        self.hashes: list[str] = []
        self.there = True
        self.connected = True
        self.counters = Counters()
        self.standing = PersonStanding(role=Role.OPERATOR, signed_in_since=datetime.now(UTC))
        self._held: asyncio.Event | None = None

    def hold(self) -> asyncio.Event:
        """Answer no more until the event is set."""
        self._held = asyncio.Event()
        return self._held

    async def request(self, envelope: Envelope, *, timeout: float) -> bytes:
        assert timeout <= 5
        self.asked[envelope.key] += 1
        if self._held is not None:
            await self._held.wait()
        if not self.there:
            raise NoHandler(envelope.key)
        reply: Reply = self.api_key
        if envelope.key == GetVerificationKeys.key:
            reply = VerificationKeys(keys=tuple(key.as_dict(private=False) for key in self.keys))
        elif envelope.key == GetPersonStanding.key:
            reply = self.standing
        else:
            self.hashes.append(envelope.read(VerifyApiKey).key_hash)
        return reply.model_dump_json(exclude_defaults=True).encode()


@pytest.fixture
def answering() -> Users:
    return Users()


@pytest.fixture
def authenticator(answering: Users) -> Authenticator:
    return Authenticator(cast("Bus", answering))


def issued(key: ECKey = KEY, *, header: dict[str, Any] | None = None, **changes: Any) -> str:
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    return jwt.encode({"alg": "ES256", "kid": key.kid} | (header or {}), claims, key)


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


async def test_without_credentials_there_is_nobody(authenticator: Authenticator) -> None:
    assert await authenticator.principal(None) is None


async def test_a_token_tells_who_calls_and_what_they_may_do(authenticator: Authenticator, answering: Users) -> None:
    principal = await authenticator.principal(f"bearer {issued()}")

    assert principal is not None
    assert (principal.user_id, principal.role, principal.driver_id) == ("u-1", Role.OPERATOR, None)
    assert principal.scopes == SCOPES[Role.OPERATOR]
    await authenticator.principal(f"Bearer {issued()}")
    assert answering.asked[GetVerificationKeys.key] == 1


NONE = f"{_part({'alg': 'none', 'kid': KEY.kid})}.{_part(CLAIMS)}."
_SAID = f"{_part({'alg': 'HS256', 'kid': KEY.kid})}.{_part(CLAIMS)}"
_MAC = hmac.digest(KEY.as_pem(private=False), _SAID.encode(), "sha256")
CONFUSED = f"{_SAID}.{base64.urlsafe_b64encode(_MAC).decode().rstrip('=')}"
GOOD = issued()
REFUSED = {
    "alg none": NONE,
    "alg none with the signature of another": NONE + GOOD.rpartition(".")[2],
    "the public key as a secret": CONFUSED,
    "another key": issued(OTHER),
    "another key under our id": issued(OTHER, header={"kid": KEY.kid}),
    "other claims under a signature": f"{GOOD.split('.')[0]}.{_part(CLAIMS | {'role': 'admin'})}.{GOOD.split('.')[2]}",
    "no signature": GOOD.rpartition(".")[0] + ".",
    "expired": issued(exp=int(time.time()) - 61),
    "never expires": issued(exp=None),
    "expires at no time": issued(exp="tomorrow"),
    "another issuer": issued(iss="other"),
    "no issuer": issued(iss=None),
    "another audience": issued(aud="other"),
    "several audiences": issued(aud=["strum-api", "other"]),
    "no role": issued(role=None),
    "an unknown role": issued(role="king"),
    "no subject": issued(sub=None),
    "a list of roles": issued(role=["admin"]),
    "claims that are a list": f"{_part({'alg': 'ES256', 'kid': KEY.kid})}.{_part([1])}.AAAA",
    "a header that is a list": f"{_part([1])}.{_part(CLAIMS)}.AAAA",
    "nonsense": "nonsense",
    "dots": "..",
    "long": "a" * 7000,
    "not of ASCII": "\udcff\udcfe",
    "letters": "ключ",
}


@pytest.mark.parametrize("token", REFUSED.values(), ids=REFUSED.keys())
async def test_a_token_that_does_not_hold_is_refused(authenticator: Authenticator, token: str) -> None:
    with pytest.raises(Unauthenticated):
        await authenticator.principal(f"Bearer {token}")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic dTpw", "Token x", GOOD, "\udcff x"])
async def test_another_way_to_show_credentials_is_refused(authenticator: Authenticator, header: str) -> None:
    with pytest.raises(Unauthenticated):
        await authenticator.principal(header)


async def test_a_token_that_expires_is_refused_although_it_was_remembered(
    authenticator: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(auth, "time", clock)
    token = issued(exp=int(time.time()) + 60)
    assert await authenticator.principal(f"Bearer {token}") is not None
    clock.passed_s = 121.0
    with pytest.raises(Unauthenticated):
        await authenticator.principal(f"Bearer {token}")


async def test_a_new_key_is_asked_for_but_not_by_every_bad_token(
    authenticator: Authenticator, answering: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    await authenticator.principal(f"Bearer {issued()}")
    answering.keys = [OTHER, KEY]
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await authenticator.principal(f"Bearer {issued(OTHER)}")
    assert answering.asked[GetVerificationKeys.key] == 1
    monkeypatch.setattr(auth, "_KEYS_RETRY_S", 0.0)
    assert await authenticator.principal(f"Bearer {issued(OTHER)}") is not None


async def test_known_keys_serve_while_the_users_module_is_away(
    authenticator: Authenticator, answering: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "_KEYS_RETRY_S", 0.0)
    answering.there = False
    with pytest.raises(Unavailable):
        await authenticator.principal(f"Bearer {issued()}")
    answering.there = True
    await authenticator.principal(f"Bearer {issued()}")
    answering.there = False
    assert await authenticator.principal(f"Bearer {issued(sub='u-2')}") is not None
    with pytest.raises(Unauthenticated):
        await authenticator.principal(f"Bearer {issued(OTHER)}")
    with pytest.raises(Unavailable):
        await authenticator.principal(f"Bearer {API_KEY_PREFIX}x")


async def test_bad_tokens_hold_up_no_good_ones_while_the_users_module_does_not_answer(
    authenticator: Authenticator, answering: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    await authenticator.principal(f"Bearer {issued()}")
    clock = Clock()
    monkeypatch.setattr(auth, "time", clock)
    clock.passed_s = 3.0
    held, answering.there = answering.hold(), False
    bad = [asyncio.create_task(authenticator.principal(f"Bearer {issued(OTHER, sub=str(n))}")) for n in range(20)]
    await asyncio.sleep(0)
    async with asyncio.timeout(1):
        assert await authenticator.principal(f"Bearer {issued(sub='u-2')}") is not None
    held.set()
    refused = await asyncio.gather(*bad, return_exceptions=True)
    assert {type(error) for error in refused} == {Unauthenticated}
    with pytest.raises(Unauthenticated):
        await authenticator.principal(f"Bearer {issued(OTHER)}")
    assert answering.asked[GetVerificationKeys.key] == 2


async def test_who_waits_for_the_first_keys_waits_once(authenticator: Authenticator, answering: Users) -> None:
    held, answering.there = answering.hold(), False
    first = [asyncio.create_task(authenticator.principal(f"Bearer {issued(sub=str(n))}")) for n in range(20)]
    await asyncio.sleep(0)
    held.set()
    assert {type(error) for error in await asyncio.gather(*first, return_exceptions=True)} == {Unavailable}
    assert answering.asked[GetVerificationKeys.key] == 1
    answering.there = True
    assert await authenticator.principal(f"Bearer {issued()}") is not None


async def test_an_api_key_is_asked_for_by_its_hash_and_remembered_for_seconds(
    authenticator: Authenticator, answering: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering.api_key = ApiKeyVerified(user_id="u-1", role=Role.ADMIN, scopes=("stations:read", "of the future"))
    key, clock = f"{API_KEY_PREFIX}secret", Clock()
    monkeypatch.setattr(auth, "time", clock)
    for _ in range(3):
        principal = await authenticator.principal(f"Bearer {key}")
        assert principal is not None
        assert (principal.role, principal.scopes) == (Role.ADMIN, {Scope.STATIONS_READ})

    assert answering.hashes == [hashlib.sha256(key.encode()).hexdigest()]
    clock.passed_s = 11.0
    await authenticator.principal(f"Bearer {key}")
    assert len(answering.hashes) == 2


async def test_an_api_key_of_scopes_that_are_all_unknown_opens_nothing(
    authenticator: Authenticator, answering: Users
) -> None:
    answering.api_key = ApiKeyVerified(user_id="u-1", role=Role.ADMIN, scopes=("of the future",))
    principal = await authenticator.principal(f"Bearer {API_KEY_PREFIX}x")
    assert principal is not None
    assert principal.scopes == frozenset()


_NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("standing", "holds"),
    [
        (PersonStanding(role=Role.OPERATOR, signed_in_since=_NOW), True),
        (PersonStanding(role=Role.VIEWER, signed_in_since=_NOW), False),
        (PersonStanding(role=Role.OPERATOR, signed_in_since=_NOW + timedelta(seconds=9)), False),
        (PersonStanding(role=Role.OPERATOR), False),
        (PersonStanding(), False),
    ],
    ids=["as before", "another role", "signed in again", "signed out", "gone"],
)
async def test_what_was_not_heard_without_the_broker_is_asked_once_it_is_back(
    authenticator: Authenticator, answering: Users, standing: PersonStanding, holds: bool
) -> None:
    header = f"Bearer {issued(iat=int(_NOW.timestamp()))}"
    assert await authenticator.principal(header) is not None
    answering.standing = standing
    answering.connected = False
    answering.counters.reconnects += 1
    assert await authenticator.principal(header) is not None
    answering.connected = True
    for _ in range(3):
        if holds:
            assert await authenticator.principal(header) is not None
        else:
            with pytest.raises(Unauthenticated):
                await authenticator.principal(header)
    assert answering.asked[GetPersonStanding.key] == (1 if holds else 3)


async def test_while_nobody_tells_what_was_not_heard_nobody_is_let_in(
    authenticator: Authenticator, answering: Users
) -> None:
    header = f"Bearer {issued(iat=int(time.time()))}"
    await authenticator.principal(header)
    answering.counters.reconnects += 1
    answering.there = False
    with pytest.raises(Unavailable):
        await authenticator.principal(header)
    answering.there = True
    assert await authenticator.principal(header) is not None


async def test_a_change_of_users_forgets_what_was_remembered(authenticator: Authenticator, answering: Users) -> None:
    answering.api_key = ApiKeyVerified(user_id="u-1", role=Role.ADMIN)
    await authenticator.principal(f"Bearer {API_KEY_PREFIX}x")
    answering.api_key = ApiKeyVerified()
    authenticator.hear(_changed())
    with pytest.raises(Unauthenticated):
        await authenticator.principal(f"Bearer {API_KEY_PREFIX}x")


async def test_what_was_verified_before_a_change_is_not_remembered_after_it(
    authenticator: Authenticator, answering: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is revoked while the answer, that it holds, is on its way."""
    request = answering.request

    async def request_and_revoke(envelope: Envelope, *, timeout: float) -> bytes:
        answer = await request(envelope, timeout=timeout)
        answering.api_key = ApiKeyVerified()
        authenticator.hear(_changed())
        return answer

    answering.api_key = ApiKeyVerified(user_id="u-1", role=Role.ADMIN)
    monkeypatch.setattr(answering, "request", request_and_revoke)
    await authenticator.principal(f"Bearer {API_KEY_PREFIX}x")
    with pytest.raises(Unauthenticated):
        await authenticator.principal(f"Bearer {API_KEY_PREFIX}x")


NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
VOID = {
    "of another role than they have now": ({"role": Role.VIEWER}, -1, True),
    "of the role that they have still": ({}, -1, False),
    "of another role, but given since": ({"role": Role.VIEWER}, 1, False),
    "of who was shut out": ({"active": False, "signed_out": True}, -1, True),
    "of who was removed": ({"removed": True, "active": False}, -1, True),
    "from before the sign-out": ({"signed_out": True}, -1, True),
    "from after the sign-out": ({"signed_out": True}, 1, False),
    "of somebody else": ({"user_id": "u-2", "role": Role.VIEWER, "signed_out": True}, -1, False),
    "that tells no time": ({"signed_out": True}, None, True),
}


@pytest.mark.parametrize(("change", "issued_s", "is_void"), VOID.values(), ids=VOID.keys())
async def test_a_change_of_a_person_voids_the_tokens_that_say_otherwise(
    authenticator: Authenticator, change: dict[str, Any], issued_s: int | None, is_void: bool
) -> None:
    issued_at = None if issued_s is None else NOW.timestamp() + issued_s
    token = issued(iat=issued_at)
    assert await authenticator.principal(f"Bearer {token}") is not None
    authenticator.hear(_changed(**change))
    if is_void:
        with pytest.raises(Unauthenticated):
            await authenticator.principal(f"Bearer {token}")
    else:
        assert await authenticator.principal(f"Bearer {token}") is not None


async def test_what_is_heard_late_takes_back_no_later_change(authenticator: Authenticator) -> None:
    authenticator.hear(_changed(role=Role.VIEWER))
    authenticator.hear(_changed(at=NOW - timedelta(seconds=10), signed_out=True))
    for issued_s in (-11, -5):
        with pytest.raises(Unauthenticated):
            await authenticator.principal(f"Bearer {issued(iat=NOW.timestamp() + issued_s)}")
    viewer = await authenticator.principal(f"Bearer {issued(role='viewer', iat=NOW.timestamp() - 5)}")
    assert viewer is not None


def _changed(*, at: datetime = NOW, user_id: str = "u-1", role: Role = Role.OPERATOR, **fields: bool) -> Envelope:
    return Envelope.of(UserChanged(user_id=user_id, role=role, **fields), occurred_at=at)


async def test_what_is_remembered_is_bounded(
    authenticator: Authenticator, answering: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "_REMEMBERED", 10)
    answering.api_key = ApiKeyVerified(user_id="u-1", role=Role.ADMIN)
    for number in range(30):
        await authenticator.principal(f"Bearer {API_KEY_PREFIX}{number}")

    assert len(authenticator._remembered) == 10


async def test_with_the_real_users_module_only_its_own_tokens_open_anything(database: str) -> None:
    async with users(database) as strum:
        await account(strum, "admin@example.org")
        good = (await sign_in(strum, "admin@example.org"))["access_token"]
        head, body, signature = good.split(".")
        assert (await bearer(strum, good).get("/users"))[0] == 200
        for token in (*REFUSED.values(), f"{head}.{body}.", f"{head}.{_part(CLAIMS)}.{signature}", good + "A"):
            if token.isascii():
                status, problem = await bearer(strum, token).get("/users")
                assert (status, problem["code"]) == (401, "unauthenticated"), token
        assert (await bearer(strum, f"{API_KEY_PREFIX}none").get("/users"))[0] == 401
