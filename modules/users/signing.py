"""Access tokens: ES256 JSON Web Tokens, and the keys that sign them.

The newest key signs, once it is old enough for every process to have heard of it; the older ones hold as long as
tokens that they signed may. Replicas agree because the keys are in the database and made under a lock.
"""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from joserfc import jwt

from modules.kernel.work import Work
from modules.users.domain import SigningKey, User
from modules.users.keys import make_key, supplied_key
from modules.users.repository import signing_keys as repository
from modules.users.settings import UsersSettings, read_private
from shared_contracts.message import new_id
from shared_contracts.users import AUDIENCE, ISSUER

_KNOWN_AFTER = timedelta(minutes=1)
_SURELY_OVER = timedelta(hours=1)


async def keep_keys(work: Work) -> None:
    """See that there is a key to sign with, replace one that is too old, and drop those that nobody needs."""
    settings = work.resource(UsersSettings)
    await repository.lock(work)
    if settings.signing_key is not None:
        await repository.put(work, supplied_key(settings.signing_key.get_secret_value(), work.now))
    keys = await repository.list_newest_first(work)
    if settings.signing_key is None and _needs_replacement(keys, work, timedelta(days=settings.signing_key_days)):
        await repository.put(work, make_key(work.now))
    holds = timedelta(seconds=settings.access_token_s) + _KNOWN_AFTER + _SURELY_OVER
    for successor, key in pairwise(keys):
        if successor.created_at < work.now - holds:
            await repository.remove(work, key.id)


def _needs_replacement(keys: Sequence[SigningKey], work: Work, age: timedelta) -> bool:
    """Whether there is none of our own, or the newest is too old."""
    return not keys or keys[0].private is None or keys[0].created_at <= work.now - age


async def public_keys(work: Work) -> tuple[SigningKey, ...]:
    """Every key that a valid token may be signed with."""
    keys = await repository.list_newest_first(work)
    supplied = work.resource(UsersSettings).signing_key
    if supplied is not None:
        own = supplied_key(supplied.get_secret_value(), work.now)
        keys = [own, *(key for key in keys if key.id != own.id)]
    return tuple(keys)


async def access_token(work: Work, user: User) -> str:
    """Sign a token that says who this is, for as long as the settings allow."""
    settings = work.resource(UsersSettings)
    kid, pem = await _signing_key(work, settings)
    issued_at = work.now.timestamp()  # not whole seconds: what was issued just before a change is told from just after
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": user.id,
        "role": str(user.role),
        "iat": issued_at,
        "exp": int(issued_at) + settings.access_token_s,
        "jti": new_id(),
    }
    return jwt.encode({"alg": "ES256", "kid": kid}, claims, read_private(pem))


async def _signing_key(work: Work, settings: UsersSettings) -> tuple[str, str]:
    if settings.signing_key is not None:
        pem = settings.signing_key.get_secret_value()
        return supplied_key(pem, work.now).id, pem
    own = [(key, key.private) for key in await repository.list_newest_first(work) if key.private is not None]
    known = [pair for pair in own if pair[0].created_at <= work.now - _KNOWN_AFTER]
    key, pem = (known or own[-1:])[0]
    return key.id, pem
