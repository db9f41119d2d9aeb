"""Sessions: a sign-in, and the family of refresh tokens that grew from it."""

from datetime import datetime

from sqlalchemy import delete, func, insert, select, update

from modules.kernel.work import Work
from modules.users.domain import RefreshToken
from modules.users.repository.people import COLUMNS, read_user
from modules.users.tables import refresh_tokens, sessions, users


async def begin(work: Work, session_id: str, user_id: str, expires_at: datetime) -> None:
    """Store a new session."""
    row = {"id": session_id, "user_id": user_id, "created_at": work.now, "expires_at": expires_at}
    await work.execute(insert(sessions).values(row))


async def add_token(work: Work, session_id: str, token_hash: str, expires_at: datetime) -> None:
    """Store a new refresh token, and let its session last as long."""
    row = {"hash": token_hash, "session_id": session_id, "expires_at": expires_at}
    await work.execute(insert(refresh_tokens).values(row))
    await work.execute(update(sessions).where(sessions.c.id == session_id).values(expires_at=expires_at))


async def lock_token(work: Work, token_hash: str) -> RefreshToken | None:
    """The refresh token with this hash; it and its session stay as they are until this work ends."""
    token = refresh_tokens.c
    statement = (
        select(token.session_id, token.expires_at, token.used_at, *COLUMNS)
        .join_from(refresh_tokens, sessions, sessions.c.id == token.session_id)
        .join(users, users.c.id == sessions.c.user_id)
        .where(token.hash == token_hash)
        .with_for_update(of=[sessions, refresh_tokens])
    )
    row = (await work.execute(statement)).mappings().first()
    if row is None:
        return None
    return RefreshToken(row["session_id"], row["expires_at"], row["used_at"], read_user(row))


async def use_token(work: Work, token_hash: str) -> None:
    """Remember that a refresh token was used."""
    await work.execute(update(refresh_tokens).where(refresh_tokens.c.hash == token_hash).values(used_at=work.now))


async def end(work: Work, session_id: str) -> None:
    """Delete a session with its refresh tokens."""
    await work.execute(delete(sessions).where(sessions.c.id == session_id))


async def end_by_token(work: Work, token_hash: str) -> str | None:
    """Delete the session that a refresh token belongs to, if there is one; returns whose it was."""
    owning = select(refresh_tokens.c.session_id).where(refresh_tokens.c.hash == token_hash)
    statement = delete(sessions).where(sessions.c.id.in_(owning)).returning(sessions.c.user_id)
    return (await work.execute(statement)).scalar()


async def oldest(work: Work, user_id: str) -> datetime | None:
    """When the oldest of a person's sessions began."""
    begun = select(func.min(sessions.c.created_at)).where(sessions.c.user_id == user_id)
    at: datetime | None = (await work.execute(begun)).scalar_one()
    return at


async def end_all(work: Work, user_id: str) -> None:
    """Delete every session of a person."""
    await work.execute(delete(sessions).where(sessions.c.user_id == user_id))


async def forget_expired(work: Work) -> None:
    """Delete the sessions and the tokens whose time is over."""
    await work.execute(delete(sessions).where(sessions.c.expires_at <= work.now))
    await work.execute(delete(refresh_tokens).where(refresh_tokens.c.expires_at <= work.now))
