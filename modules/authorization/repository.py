"""Every query on the schema `authz`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, delete, or_, select, update
from sqlalchemy.dialects import postgresql

from modules.authorization.domain import IdToken, Permission, TokenType
from modules.authorization.tables import id_tokens
from modules.kernel.work import Work
from shared_contracts.authorization import TokenStatus, fold_token

_token = id_tokens.c
_COLUMNS = [column for column in _token if column.name != "folded"]


async def find_by_value(work: Work, value: str) -> IdToken | None:
    """The token with this value, compared as tokens are."""
    found = await work.execute(select(*_COLUMNS).where(_token.folded == fold_token(value)))
    return _one(found.mappings().first())


async def find(work: Work, token_id: str) -> IdToken | None:
    """The token with this id."""
    found = await work.execute(select(*_COLUMNS).where(_token.id == token_id))
    return _one(found.mappings().first())


async def add(work: Work, token: IdToken) -> bool:
    """Store a new token; False where another has its value."""
    statement = postgresql.insert(id_tokens).values(_row(token)).on_conflict_do_nothing()
    return (await work.execute(statement)).rowcount == 1


async def change(work: Work, token_id: str, changes: Mapping[str, Any], *, if_revision: int | None) -> IdToken | None:
    """Write the changes and the next revision; None where there is no such token in this revision."""
    statement = (
        update(id_tokens)
        .where(_token.id == token_id, *_in_revision(if_revision))
        .values(**changes, revision=_token.revision + 1, updated_at=work.now)
        .returning(*_COLUMNS)
    )
    return _one((await work.execute(statement)).mappings().first())


async def remove(work: Work, token_id: str, *, if_revision: int | None) -> IdToken | None:
    """Delete a token and return what it was; None where there is no such token in this revision."""
    statement = delete(id_tokens).where(_token.id == token_id, *_in_revision(if_revision)).returning(*_COLUMNS)
    return _one((await work.execute(statement)).mappings().first())


async def take_from_driver(work: Work, driver_id: str) -> list[IdToken]:
    """Let all tokens of a person belong to nobody; returns them as they are now."""
    statement = (
        update(id_tokens)
        .where(_token.driver_id == driver_id)
        .values(driver_id=None, revision=_token.revision + 1, updated_at=work.now)
        .returning(*_COLUMNS)
    )
    return [_read(row) for row in (await work.execute(statement)).mappings()]


async def browse(
    work: Work, *, wanted: list[ColumnElement[bool]], after: str | None, limit: int
) -> list[tuple[str, IdToken]]:
    """Tokens in the order of their folded values, each with that value, which is where a page may go on."""
    statement = select(id_tokens).where(*wanted).order_by(_token.folded).limit(limit)
    if after is not None:
        statement = statement.where(_token.folded > after)
    rows = (await work.execute(statement)).mappings()
    return [(row["folded"], _read(row)) for row in rows]


def with_status(status: TokenStatus, now: datetime) -> ColumnElement[bool]:
    """Tokens that would be judged so now."""
    blocked = _token.permission == Permission.BLOCKED
    expired = _token.expires_at.is_not(None) & (_token.expires_at <= now)
    match status:
        case TokenStatus.BLOCKED:
            return blocked
        case TokenStatus.EXPIRED:
            return ~blocked & expired
        case _:
            return ~blocked & ~expired


def with_text(text: str) -> ColumnElement[bool]:
    """Tokens whose value or label contains this text, without regard to case."""
    return or_(_token.folded.contains(fold_token(text), autoescape=True), _token.label.icontains(text, autoescape=True))


def with_column(name: str, value: str) -> ColumnElement[bool]:
    """Tokens with exactly this value in a column."""
    return _token[name] == value


def _in_revision(revision: int | None) -> list[ColumnElement[bool]]:
    return [] if revision is None else [_token.revision == revision]


def _row(token: IdToken) -> dict[str, Any]:
    row = {column.name: getattr(token, column.name) for column in _COLUMNS}
    return row | {"folded": fold_token(token.value)}


def _one(row: RowMapping | None) -> IdToken | None:
    return None if row is None else _read(row)


def _read(row: RowMapping) -> IdToken:
    fields = {column.name: row[column.name] for column in _COLUMNS}
    return IdToken(**fields | {"type": TokenType(row["type"]), "permission": Permission(row["permission"])})
