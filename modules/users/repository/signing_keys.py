"""The keys that sign access tokens."""

from collections.abc import Sequence

from sqlalchemy import delete, select, text
from sqlalchemy.dialects import postgresql

from modules.kernel.work import Work
from modules.users.domain import SigningKey
from modules.users.tables import signing_keys

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('users.signing_keys'))")


async def lock(work: Work) -> None:
    """Let one process at a time decide which keys there are."""
    await work.execute(_LOCK)


async def list_newest_first(work: Work) -> Sequence[SigningKey]:
    """All keys."""
    columns = [signing_keys.c[name] for name in SigningKey.__slots__]
    rows = await work.execute(select(*columns).order_by(signing_keys.c.created_at.desc(), signing_keys.c.id))
    return [SigningKey(**row) for row in rows.mappings()]


async def put(work: Work, key: SigningKey) -> None:
    """Store a key; one that is there already becomes as new."""
    row = {name: getattr(key, name) for name in SigningKey.__slots__}
    statement = postgresql.insert(signing_keys).values(row)
    await work.execute(
        statement.on_conflict_do_update(index_elements=["id"], set_={"created_at": statement.excluded.created_at})
    )


async def remove(work: Work, key_id: str) -> None:
    """Delete a key: what it signed holds no longer."""
    await work.execute(delete(signing_keys).where(signing_keys.c.id == key_id))
