"""Who calls the API: access tokens (ES256) and API keys. The users module knows both, and is asked over the bus."""

import asyncio
import hashlib
import time
from collections import OrderedDict
from typing import Any

import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from modules.kernel.errors import Unauthenticated, Unavailable
from modules.kernel.scopes import SCOPES, Principal, Scope
from shared_contracts.bus import Bus, BusError, ask
from shared_contracts.users import API_KEY_PREFIX, ISSUER, GetVerificationKeys, Role, VerifyApiKey

log = structlog.get_logger()

_REMEMBERED = 10_000
_API_KEY_TTL_S = 10.0
_KEYS_RETRY_S = 2.0
_ASK_S = 5.0


class Authenticator:
    """Turns an Authorization header into a principal; remembers what it verified: a repeat costs microseconds."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._keys: KeySet | None = None
        self._keys_asked_at = float("-inf")
        self._asking = asyncio.Lock()
        self._remembered: OrderedDict[bytes, tuple[float, Principal]] = OrderedDict()

    async def principal(self, header: str | None) -> Principal | None:
        """The caller, or None without credentials. Raises Unauthenticated for credentials that do not hold."""
        if header is None:
            return None
        scheme, _, credential = header.partition(" ")
        if scheme.lower() != "bearer" or not credential:
            raise Unauthenticated("Use Authorization: Bearer with an access token or an API key.")
        if not credential.isascii():
            raise Unauthenticated("The credentials are none of ours.")
        digest = hashlib.sha256(credential.encode()).digest()
        remembered = self._remembered.get(digest)
        if remembered is not None and remembered[0] > time.time():
            return remembered[1]
        if credential.startswith(API_KEY_PREFIX):
            until, principal = time.time() + _API_KEY_TTL_S, await self._of_api_key(digest.hex())
        else:
            until, principal = await self._of_token(credential)
        self._remembered[digest] = (until, principal)
        if len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)
        return principal

    def forget(self) -> None:
        """Verify every credential anew: a user or key changed."""
        self._remembered.clear()

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
        return Principal(verified.user_id, verified.role, scopes)

    async def _of_token(self, token: str) -> tuple[float, Principal]:
        try:
            claims = await self._verified(token)
            expires_at, role = float(claims["exp"]), Role(claims["role"])
            ours = claims["iss"] == ISSUER
            principal = Principal(str(claims["sub"]), role, SCOPES[role])
        except (JoseError, KeyError, ValueError, TypeError) as error:
            raise Unauthenticated("The access token does not hold.") from error
        if not ours or expires_at <= time.time():
            raise Unauthenticated("The access token has expired.")
        return expires_at, principal

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
        """The key set; asked again for a token that the known keys refuse, at most every few seconds."""
        async with self._asking:
            if self._keys is not None and (not fresh or time.monotonic() - self._keys_asked_at < _KEYS_RETRY_S):
                return self._keys
            try:
                answer = await ask(self._bus, GetVerificationKeys(), timeout=_ASK_S)
            except BusError as error:
                if self._keys is not None:
                    return self._keys
                raise Unavailable("Credentials cannot be checked now.") from error
            jwks: Any = {"keys": list(answer.keys)}
            self._keys = KeySet.import_key_set(jwks)
            self._keys_asked_at = time.monotonic()
            return self._keys
