"""Who calls the API: access tokens (ES256) and API keys. The users module knows both, and is asked over the bus."""

import asyncio
import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from modules.kernel.errors import Unauthenticated, Unavailable
from modules.kernel.scopes import SCOPES, Principal, Scope
from shared_contracts.bus import Bus, BusError, ask
from shared_contracts.message import Envelope
from shared_contracts.users import (
    API_KEY_PREFIX,
    AUDIENCE,
    ISSUER,
    GetPersonStanding,
    GetVerificationKeys,
    Role,
    UserChanged,
    VerifyApiKey,
)

log = structlog.get_logger()

_REMEMBERED = 10_000
_API_KEY_TTL_S = 10.0
_KEYS_RETRY_S = 2.0
_ASK_S = 5.0
_LEEWAY_S = 60.0
"""By how much the clocks of processes may differ: a token is issued by one, and its times are read by another."""


@dataclass(slots=True)
class _Change:
    """What was heard last of a person: nobody else's role holds for them, and no token from before `void_before`."""

    at: datetime
    role: Role
    void_before: float


class Authenticator:
    """Turns an Authorization header into a principal; remembers what it verified: a repeat costs microseconds.

    What changes is heard. When a connection to the broker was lost, some of it may not have been: all is verified anew,
    and of whom a token is that was issued before, the users module is asked what they are now.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._keys: KeySet | None = None
        self._keys_asked_at = float("-inf")
        self._asking = asyncio.Lock()
        self._remembered: OrderedDict[bytes, tuple[float, Principal]] = OrderedDict()
        self._changes: OrderedDict[str, _Change] = OrderedDict()
        self._heard = 0
        self._reconnects = bus.counters.reconnects
        self._doubted_before = 0.0

    async def principal(self, header: str | None) -> Principal | None:
        """The caller, or None without credentials. Raises Unauthenticated for credentials that do not hold."""
        if header is None:
            return None
        scheme, _, credential = header.partition(" ")
        if scheme.lower() != "bearer" or not credential:
            raise Unauthenticated("Use Authorization: Bearer with an access token or an API key.")
        if not credential.isascii():
            raise Unauthenticated("The credentials are none of ours.")
        self._notice_reconnect()
        digest = hashlib.sha256(credential.encode()).digest()
        if (known := self._known(digest)) is not None:
            return known
        heard = self._heard
        if credential.startswith(API_KEY_PREFIX):
            until, principal = time.monotonic() + _API_KEY_TTL_S, await self._of_api_key(digest.hex())
        else:
            until, principal = await self._of_token(credential)
        if heard == self._heard:  # else the answer may be from before the change
            self._remembered[digest] = (until, principal)
        if len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)
        return principal

    def _notice_reconnect(self) -> None:
        """While it is away nothing else is known; what was missed was told before now."""
        if self._bus.connected and self._reconnects != self._bus.counters.reconnects:
            self._reconnects = self._bus.counters.reconnects
            self._heard += 1
            self._remembered.clear()
            self._doubted_before = time.time() + _LEEWAY_S

    def remembers(self, header: str | None) -> bool:
        """Whether these credentials were verified a moment ago, and hold."""
        credential = (header or "").partition(" ")[2]
        return credential.isascii() and self._known(hashlib.sha256(credential.encode()).digest()) is not None

    def _known(self, digest: bytes) -> Principal | None:
        until, principal = self._remembered.get(digest, (0.0, None))
        return principal if until > time.monotonic() else None

    def hear(self, changed: Envelope) -> None:
        """A user or key changed: verify every credential anew, and void the tokens that say what is so no longer."""
        self._heard += 1
        self._remembered.clear()
        event = changed.read(UserChanged)
        earlier = self._changes.get(event.user_id)
        is_latest = earlier is None or changed.occurred_at >= earlier.at
        void_before = earlier.void_before if earlier is not None else 0.0
        if event.signed_out or event.removed or not event.active:
            void_before = max(void_before, changed.occurred_at.timestamp())
        if earlier is None or is_latest:
            self._changes[event.user_id] = _Change(changed.occurred_at, event.role, void_before)
        else:
            earlier.void_before = void_before
        self._changes.move_to_end(event.user_id)
        if len(self._changes) > _REMEMBERED:
            self._changes.popitem(last=False)

    def _is_void(self, user_id: str, role: Role, issued_at: float) -> bool:
        """Whether what was heard since a token was issued says otherwise than the token."""
        change = self._changes.get(user_id)
        if change is None:
            return False
        return issued_at < change.void_before or (role is not change.role and issued_at < change.at.timestamp())

    async def _of_api_key(self, key_hash: str) -> Principal:
        try:
            verified = await ask(self._bus, VerifyApiKey(key_hash=key_hash), timeout=_ASK_S)
        except BusError as error:
            raise Unavailable("Credentials cannot be checked now.") from error
        if verified.user_id is None:
            raise Unauthenticated("The API key is unknown, expired or revoked.")
        scopes = SCOPES[verified.role]
        if verified.scopes:
            scopes &= frozenset(scope for scope in Scope if scope in verified.scopes)
        return Principal(verified.user_id, verified.role, scopes, verified.key_id)

    async def _of_token(self, token: str) -> tuple[float, Principal]:
        """Whose it is, and until when that may be remembered, by the monotonic clock."""
        try:
            claims = await self._verified(token)
            expires_at, role = float(claims["exp"]), Role(claims["role"])
            # a token of the release before has no audience
            ours = claims["iss"] == ISSUER and claims.get("aud", AUDIENCE) == AUDIENCE
            issued_at = float(claims.get("iat", 0.0))
            begins_at = max(issued_at, float(claims.get("nbf", 0.0)))
            principal = Principal(str(claims["sub"]), role, SCOPES[role])
        except (JoseError, KeyError, ValueError, TypeError) as error:
            raise Unauthenticated("The access token does not hold.") from error
        now = time.time()
        if not ours or not begins_at - _LEEWAY_S <= now < expires_at + _LEEWAY_S:
            raise Unauthenticated("The access token has expired, or does not hold yet.")
        if self._is_void(principal.user_id, role, issued_at):
            raise Unauthenticated("The account has changed since this access token was issued.")
        if issued_at < self._doubted_before:
            await self._demand_standing(principal, issued_at)
        return time.monotonic() + expires_at + _LEEWAY_S - now, principal

    async def _demand_standing(self, principal: Principal, issued_at: float) -> None:
        try:
            now = await ask(self._bus, GetPersonStanding(user_id=principal.user_id), timeout=_ASK_S)
        except BusError as error:
            raise Unavailable("Credentials cannot be checked now.") from error
        since = now.signed_in_since
        # `iat` is in whole seconds
        if now.role is not principal.role or since is None or issued_at + 1 < since.timestamp():
            raise Unauthenticated("The account has changed since this access token was issued.")

    async def _verified(self, token: str) -> dict[str, Any]:
        keys = await self._verification_keys(fresh=False)
        try:
            return dict(jwt.decode(token, keys, algorithms=["ES256"]).claims)
        except (JoseError, ValueError):
            fresh = await self._verification_keys(fresh=True)
            if fresh is keys:
                raise
            return dict(jwt.decode(token, fresh, algorithms=["ES256"]).claims)

    async def _verification_keys(self, *, fresh: bool) -> KeySet:
        """The key set; asked again for a token that the known keys refuse, at most every few seconds.

        Known keys are told at once. Of those who need others one asks, and its answer, or that there is none, is for
        all who wait.
        """
        now = time.monotonic()
        if self._keys is not None and (not fresh or now - self._keys_asked_at < _KEYS_RETRY_S):
            return self._keys
        async with self._asking:
            if self._keys_asked_at < now:
                await self._ask_for_keys()
        if self._keys is None:
            raise Unavailable("Credentials cannot be checked now.")
        return self._keys

    async def _ask_for_keys(self) -> None:
        try:
            answer = await ask(self._bus, GetVerificationKeys(), timeout=_ASK_S)
        except BusError as error:
            log.warning("verification_keys_not_told", error=repr(error))
        else:
            jwks: Any = {"keys": list(answer.keys)}
            self._keys = KeySet.import_key_set(jwks)
        self._keys_asked_at = time.monotonic()
