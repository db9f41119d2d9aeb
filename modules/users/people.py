"""The use cases of people: accounts are made, changed and removed, and never the last administrator's."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from modules.kernel.errors import PreconditionFailed
from modules.kernel.scopes import SCOPES, Principal
from modules.kernel.work import Work
from modules.users import throttle
from modules.users.domain import User, is_email, password_flaw
from modules.users.errors import (
    BeyondOwnScopes,
    EmailTaken,
    LastAdmin,
    OwnRole,
    UnfitEmail,
    UnfitPassword,
    UserNotFound,
    WrongPassword,
)
from modules.users.opened import OpenWork
from modules.users.passwords import Passwords
from modules.users.repository import people as repository
from modules.users.repository import sessions
from modules.users.signing_in import verified
from shared_contracts.message import new_id
from shared_contracts.users import CreateUser, PersonStanding, Role, UserChanged, UserCreated


async def create(
    work: Work, *, email: str, name: str, role: Role, password: str | None, by: Principal
) -> tuple[User, str | None]:
    """Make an account; without a password one is made, and returned. Raises EmailTaken, UnfitEmail, UnfitPassword."""
    _require_power_over(by, role)
    user, generated = await _add(work, email=email, name=name, role=role, password=password)
    if user is None:
        raise EmailTaken
    return user, generated


async def create_once(work: Work, request: CreateUser) -> UserCreated:
    """Make an account unless the email address has one: that one stays as it is. Raises UnfitEmail, UnfitPassword."""
    async with work.resource(OpenWork)() as reading:
        found = await repository.account_by_email(reading, request.email)
    if found is None:
        user, generated = await _add(
            work, email=request.email, name=request.name, role=request.role, password=request.password
        )
        if user is not None:
            return UserCreated(user_id=user.id, created=True, password=generated)
        found = await repository.account_by_email(work, request.email)
    assert found is not None  # whoever took the address has committed
    return UserCreated(user_id=found.user.id, created=False)


async def _add(
    work: Work, *, email: str, name: str, role: Role, password: str | None
) -> tuple[User | None, str | None]:
    if not is_email(email):
        raise UnfitEmail
    generated = None if password is not None else secrets.token_urlsafe(16)
    password_hash = await _hash(work, password or generated or "", email)
    user = User(
        id=new_id(),
        email=email,
        name=name,
        role=role,
        active=True,
        revision=1,
        created_at=work.now,
        updated_at=work.now,
    )
    if not await repository.add(work, user, password_hash):
        return None, None
    _publish(work, user)
    return user, generated


async def get(work: Work, user_id: str) -> User:
    """Find a person by their id. Raises UserNotFound."""
    user = await repository.find(work, user_id)
    if user is None:
        raise UserNotFound(user_id)
    return user


async def change(
    work: Work, user_id: str, changes: Mapping[str, Any], *, if_revision: int | None, by: Principal
) -> User:
    """Change a person. Who is made inactive is signed out everywhere.

    Raises UserNotFound, PreconditionFailed, EmailTaken, OwnRole, LastAdmin, BeyondOwnScopes.
    """
    admins = await repository.lock_active_admins(work)
    before = await _lock(work, user_id, if_revision=if_revision, by=by)
    role, active = changes.get("role", before.role), changes.get("active", before.active)
    _require_power_over(by, role)
    if role is not before.role and user_id == by.user_id:
        raise OwnRole
    if admins == {user_id} and not (active and role is Role.ADMIN):
        raise LastAdmin
    user = await repository.change(work, user_id, changes)
    if not user.active:
        await sessions.end_all(work, user_id)
    _publish(work, user)
    return user


async def rename(work: Work, user_id: str, name: str | None, *, if_revision: int | None) -> User:
    """Change what a person is called, by their own wish. Raises UserNotFound, PreconditionFailed."""
    user = await _lock(work, user_id, if_revision=if_revision, by=None)
    if name is None or name == user.name:
        return user
    return await repository.change(work, user_id, {"name": name})


async def remove(work: Work, user_id: str, *, if_revision: int | None, by: Principal) -> None:
    """Delete a person, their sessions and their API keys. Errors as of `change`."""
    admins = await repository.lock_active_admins(work)
    user = await _lock(work, user_id, if_revision=if_revision, by=by)
    if admins == {user_id}:
        raise LastAdmin
    await repository.remove(work, user_id)
    _publish(work, user, removed=True)


async def set_password(work: Work, user_id: str, password: str, *, by: Principal) -> None:
    """Give a person another password, and sign them out everywhere. Raises UserNotFound, UnfitPassword."""
    async with work.resource(OpenWork)() as reading:
        user = await get(reading, user_id)
    _require_power_over(by, user.role)
    password_hash = await _hash(work, password, user.email)
    await _lock(work, user_id, if_revision=None, by=by)
    await _replace_password(work, user, password_hash)


async def change_own_password(work: Work, user_id: str, *, current: str, new: str, source: str) -> None:
    """Replace one's own password, and end all sessions.

    Raises UnfitPassword, WrongPassword, and TooManyAttempts as signing in does: a token is no licence to guess.
    """
    async with work.resource(OpenWork)() as reading:
        account = await repository.account(reading, user_id)
    if account is None:
        raise UserNotFound(user_id)
    email = account.user.email
    _demand_fit(new, email)
    async with throttle.attempt(work, email, source):
        password_hash = await _hash(work, new, email)
        is_right = await verified(work, account, current) is not None
    if not is_right:
        raise WrongPassword
    await throttle.forgive(work, email, source)
    await _replace_password(work, account.user, password_hash)


async def standing(work: Work, user_id: str) -> PersonStanding:
    """What a person may be now, and since when they are signed in; nothing of one who is not there or not active."""
    try:
        user = await get(work, user_id)
    except UserNotFound:
        return PersonStanding()
    if not user.active:
        return PersonStanding()
    return PersonStanding(role=user.role, signed_in_since=await sessions.oldest(work, user_id))


async def sign_out_everywhere(work: Work, user_id: str) -> None:
    """End a person's sessions, and their access tokens with them. Raises UserNotFound."""
    user = await get(work, user_id)
    await sessions.end_all(work, user_id)
    _publish(work, user, signed_out=True)


async def _replace_password(work: Work, user: User, password_hash: str) -> None:
    await repository.set_password(work, user.id, password_hash)
    await sessions.end_all(work, user.id)
    _publish(work, user, signed_out=True)


async def _hash(work: Work, password: str, email: str) -> str:
    _demand_fit(password, email)
    return await work.resource(Passwords).hash(password)


def _demand_fit(password: str, email: str) -> None:
    flaw = password_flaw(password, email)
    if flaw is not None:
        raise UnfitPassword(flaw)


async def _lock(work: Work, user_id: str, *, if_revision: int | None, by: Principal | None) -> User:
    user = await repository.lock(work, user_id)
    if user is None:
        raise UserNotFound(user_id)
    if by is not None:
        _require_power_over(by, user.role)
    if if_revision not in {None, user.revision}:
        raise PreconditionFailed(revision=user.revision)
    return user


def _require_power_over(by: Principal, role: Role) -> None:
    if not SCOPES[role] <= by.scopes:
        raise BeyondOwnScopes


def _publish(work: Work, user: User, *, removed: bool = False, signed_out: bool = False) -> None:
    """It occurred now: who waited for a hash or a lock began seconds ago, and tokens were given since."""
    active = user.active and not removed
    changed = UserChanged(
        user_id=user.id, role=user.role, active=active, removed=removed, signed_out=signed_out or not active
    )
    work.publish(changed, occurred_at=datetime.now(UTC))
