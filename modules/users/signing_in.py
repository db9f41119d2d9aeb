"""Signing in and staying signed in.

A refresh token is used once: it is exchanged for the next of its session. Whoever shows one a second time is not the
only one who has it, so the whole session ends, for the thief and for the person, who signs in again.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta

import structlog

from modules.kernel.work import Work
from modules.users import signing, throttle
from modules.users.domain import Account, User, secret_hash
from modules.users.errors import RefreshRefused, WrongCredentials
from modules.users.opened import OpenWork
from modules.users.passwords import Passwords
from modules.users.repository import people, sessions
from modules.users.settings import UsersSettings
from shared_contracts.message import new_id

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a client gets: shown once, stored nowhere."""

    user: User
    access_token: str
    expires_in_s: int
    refresh_token: str


async def sign_in(work: Work, *, email: str, password: str, source: str) -> SignedIn:
    """Begin a session. Raises WrongCredentials and TooManyAttempts.

    No connection is held while the password is verified; what was read before is checked again under a lock.
    """
    async with throttle.attempt(work, email, source):
        async with work.resource(OpenWork)() as reading:
            found = await people.account_by_email(reading, email)
        work.subject = None if found is None else found.user.id
        account = await verified(work, found, password)
    if account is None:
        log.info("sign_in_refused", source=source, user=found and found.user.id)
        raise WrongCredentials
    await throttle.forgive(work, email, source)
    await _keep_hash_up_to_date(work, account, password)
    session_id = new_id()
    lasts = timedelta(seconds=work.resource(UsersSettings).refresh_token_s)
    await sessions.begin(work, session_id, account.user.id, work.now + lasts)
    log.info("signed_in", source=source, user=account.user.id)
    return await _grant(work, session_id, account.user)


async def verified(work: Work, found: Account | None, password: str) -> Account | None:
    """The account, locked, if the password is right and it is still active and the same; the work is always done."""
    hash_of = found.password_hash if found is not None else None
    if not await work.resource(Passwords).verify(password, hash_of) or found is None:
        return None
    locked = await people.lock_account(work, found.user.id)
    still_so = locked is not None and locked.user.active and locked.password_hash == found.password_hash
    return locked if still_so else None


async def _keep_hash_up_to_date(work: Work, account: Account, password: str) -> None:
    passwords = work.resource(Passwords)
    if passwords.is_outdated(account.password_hash):
        await people.set_password(work, account.user.id, await passwords.hash(password))


async def refresh(work: Work, refresh_token: str) -> SignedIn | None:
    """Exchange a refresh token; None where it was used before, and its session has been ended.

    Raises RefreshRefused for one that is unknown or expired.
    """
    token_hash = secret_hash(refresh_token)
    token = await sessions.lock_token(work, token_hash)
    work.subject = None if token is None else token.user.id
    if token is None or token.expires_at <= work.now or not token.user.active:
        raise RefreshRefused
    if token.used_at is not None:
        await sessions.end(work, token.session_id)
        log.warning("refresh_token_reused", user=token.user.id, session=token.session_id)
        return None
    await sessions.use_token(work, token_hash)
    return await _grant(work, token.session_id, token.user)


async def _grant(work: Work, session_id: str, user: User) -> SignedIn:
    settings = work.resource(UsersSettings)
    refresh_token = secrets.token_urlsafe(32)
    expires_at = work.now + timedelta(seconds=settings.refresh_token_s)
    await sessions.add_token(work, session_id, secret_hash(refresh_token), expires_at)
    return SignedIn(user, await signing.access_token(work, user), settings.access_token_s, refresh_token)


async def sign_out(work: Work, refresh_token: str) -> None:
    """End the session that a refresh token belongs to; a token that is unknown has none."""
    work.subject = await sessions.end_by_token(work, secret_hash(refresh_token))
