"""API keys."""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, delete, func, insert, or_, select, update

from modules.kernel.scopes import Scope
from modules.kernel.work import Work
from modules.users.domain import ApiKey, User
from modules.users.repository.people import COLUMNS, read_user
from modules.users.tables import api_keys, users
from shared_contracts.users import Role

_key = api_keys.c
_COLUMNS = [_key[name] for name in ApiKey.__slots__]
_USED_EVERY = timedelta(minutes=1)


async def add(work: Work, key: ApiKey, key_hash: str) -> None:
    """Store a new key."""
    row: dict[str, Any] = {name: getattr(key, name) for name in ApiKey.__slots__}
    row["scopes"] = None if key.scopes is None else sorted(key.scopes)
    await work.execute(insert(api_keys).values(row | {"hash": key_hash}))


async def remove_expired(work: Work, user_id: str) -> None:
    """Delete the keys of a person that open nothing any more."""
    over = _key.expires_at < func.least(func.now(), work.now)
    await work.execute(delete(api_keys).where(_key.user_id == user_id, over))


async def count(work: Work, user_id: str) -> int:
    """How many keys a person has."""
    return int((await work.execute(select(func.count()).where(_key.user_id == user_id))).scalar_one())


async def find_by_hash(work: Work, key_hash: str) -> tuple[ApiKey, User] | None:
    """The key with this hash, and its owner."""
    owner = [column.label(f"owner_{column.name}") for column in COLUMNS]
    statement = select(*_COLUMNS, *owner).join_from(api_keys, users, users.c.id == _key.user_id)
    row = (await work.execute(statement.where(_key.hash == key_hash))).mappings().first()
    if row is None:
        return None
    return _read(row), read_user({column.name: row[f"owner_{column.name}"] for column in COLUMNS})


async def note_use(work: Work, key_id: str) -> None:
    """Remember that a key was used, once a minute at most: a busy key would be written all the time."""
    stale = or_(_key.last_used_at.is_(None), _key.last_used_at < work.now - _USED_EVERY)
    await work.execute(update(api_keys).where(_key.id == key_id, stale).values(last_used_at=work.now))


async def browse(work: Work, *, user_id: str | None, after: str | None, limit: int) -> list[ApiKey]:
    """Keys of one person, or of all, in the order in which they were made."""
    wanted: list[ColumnElement[bool]] = [] if user_id is None else [_key.user_id == user_id]
    if after is not None:
        wanted.append(_key.id > after)
    rows = await work.execute(select(*_COLUMNS).where(*wanted).order_by(_key.id).limit(limit))
    return [_read(row) for row in rows.mappings()]


async def find(work: Work, key_id: str) -> ApiKey | None:
    """The key with this id."""
    row = (await work.execute(select(*_COLUMNS).where(_key.id == key_id))).mappings().first()
    return None if row is None else _read(row)


async def remove(work: Work, key_id: str) -> None:
    """Delete a key."""
    await work.execute(delete(api_keys).where(_key.id == key_id))


def _read(row: RowMapping) -> ApiKey:
    fields = {name: row[name] for name in ApiKey.__slots__}
    scopes = fields["scopes"]
    known = None if scopes is None else frozenset(scope for scope in Scope if scope in scopes)
    return ApiKey(**fields | {"role": Role(fields["role"]), "scopes": known})
