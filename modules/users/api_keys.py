"""The use cases of API keys. The text of a key is random and shown once; its hash is what we know it by."""

import secrets
from datetime import datetime

from modules.kernel.errors import InvalidRequest
from modules.kernel.scopes import SCOPES, Principal, Scope
from modules.kernel.work import Work
from modules.users.domain import ApiKey, secret_hash
from modules.users.errors import ApiKeyNotFound, BeyondOwnScopes, KeyMakesNone, TooManyApiKeys, UserNotFound
from modules.users.people import get as get_user
from modules.users.repository import api_keys as repository
from modules.users.repository import people
from modules.users.settings import UsersSettings
from shared_contracts.message import new_id
from shared_contracts.users import API_KEY_PREFIX, ApiKeyVerified, Role, UserChanged

_HINT = len(API_KEY_PREFIX) + 4


async def create(
    work: Work,
    *,
    name: str,
    role: Role | None,
    scopes: frozenset[Scope] | None,
    expires_at: datetime | None,
    by: Principal,
) -> tuple[ApiKey, str]:
    """Make a key that acts for its maker, with their role or a lesser one; returned with its text.

    Raises KeyMakesNone for a maker that is a key itself (else what it may do would outlive it), BeyondOwnScopes for
    what the maker may not do, InvalidRequest for a time that is past, TooManyApiKeys.
    """
    if by.api_key_id is not None:
        raise KeyMakesNone
    role = role or by.role
    if not SCOPES[role] <= SCOPES[by.role] or not (SCOPES[role] if scopes is None else scopes) <= by.scopes:
        raise BeyondOwnScopes
    if expires_at is not None and expires_at <= work.now:
        raise InvalidRequest("expires_at: is past", errors=[{"field": "expires_at", "message": "is past"}])
    await _make_room(work, by.user_id)
    secret = API_KEY_PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(
        id=new_id(),
        user_id=by.user_id,
        name=name,
        hint=secret[:_HINT],
        role=role,
        scopes=scopes,
        created_at=work.now,
        expires_at=expires_at,
        last_used_at=None,
    )
    await repository.add(work, key, secret_hash(secret))
    return key, secret


async def _make_room(work: Work, user_id: str) -> None:
    """Their keys are counted one maker at a time; where there are too many, those that expired go."""
    if await people.lock(work, user_id) is None:
        raise UserNotFound(user_id)
    most = work.resource(UsersSettings).api_keys_per_user
    if await repository.count(work, user_id) < most:
        return
    await repository.remove_expired(work, user_id)
    if await repository.count(work, user_id) >= most:
        raise TooManyApiKeys


async def verify(work: Work, key_hash: str) -> ApiKeyVerified:
    """Say whose key it is and what it opens now, and note its use."""
    found = await repository.find_by_hash(work, key_hash)
    access = found and found[0].access(found[1], work.now)
    if found is None or access is None:
        return ApiKeyVerified()
    role, scopes = access
    await repository.note_use(work, found[0].id)
    return ApiKeyVerified(user_id=found[1].id, role=role, scopes=tuple(sorted(scopes)), key_id=found[0].id)


async def get(work: Work, key_id: str, *, by: Principal, scope: Scope) -> ApiKey:
    """Find a key: one's own, or anybody's with the scope. Raises ApiKeyNotFound."""
    key = await repository.find(work, key_id)
    if key is None or not (key.user_id == by.user_id or by.may(scope)):
        raise ApiKeyNotFound(key_id)
    return key


async def revoke(work: Work, key_id: str, *, by: Principal) -> None:
    """Delete a key; processes that remember it forget it. Raises ApiKeyNotFound."""
    key = await get(work, key_id, by=by, scope=Scope.USERS_WRITE)
    await repository.remove(work, key_id)
    owner = await get_user(work, key.user_id)
    work.publish(UserChanged(user_id=owner.id, role=owner.role, active=owner.active))
