"""People."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, or_, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError

from modules.kernel.work import Work
from modules.users.domain import Account, User, fold_email
from modules.users.errors import EmailTaken
from modules.users.tables import users
from shared_contracts.users import Role

COLUMNS = [users.c[name] for name in User.__slots__]
_ACCOUNT = select(*COLUMNS, users.c.password_hash)


async def find(work: Work, user_id: str) -> User | None:
    """The person with this id."""
    return _one((await work.execute(select(*COLUMNS).where(users.c.id == user_id))).mappings().first())


async def lock(work: Work, user_id: str) -> User | None:
    """The person with this id, unchanged by others until this work ends."""
    statement = select(*COLUMNS).where(users.c.id == user_id).with_for_update(key_share=True)
    return _one((await work.execute(statement)).mappings().first())


async def account_by_email(work: Work, email: str) -> Account | None:
    """The account with this email address, compared as addresses are."""
    return await _account(work, _ACCOUNT.where(users.c.folded_email == fold_email(email)))


async def account(work: Work, user_id: str) -> Account | None:
    """The account with this id."""
    return await _account(work, _ACCOUNT.where(users.c.id == user_id))


async def lock_account(work: Work, user_id: str) -> Account | None:
    """The account with this id, unchanged by others until this work ends."""
    return await _account(work, _ACCOUNT.where(users.c.id == user_id).with_for_update(key_share=True))


async def lock_active_admins(work: Work) -> set[str]:
    """The ids of all who can administer the system; none of them changes until this work ends.

    Locked before any other person and in the order of the ids, so that two who depose each other do not deadlock.
    """
    statement = select(users.c.id).where(users.c.role == Role.ADMIN, users.c.active).order_by(users.c.id)
    return {row.id for row in await work.execute(statement.with_for_update(key_share=True))}


async def add(work: Work, user: User, password_hash: str) -> bool:
    """Store a new person; False where another has the email address."""
    row = {name: getattr(user, name) for name in User.__slots__}
    row |= {"folded_email": fold_email(user.email), "password_hash": password_hash}
    return (await work.execute(postgresql.insert(users).values(row).on_conflict_do_nothing())).rowcount == 1


async def change(work: Work, user_id: str, changes: Mapping[str, Any]) -> User:
    """Write the changes and the next revision of a person whom this work has locked. Raises EmailTaken."""
    values = dict(changes)
    if "email" in values:
        values["folded_email"] = fold_email(values["email"])
    statement = (
        update(users)
        .where(users.c.id == user_id)
        .values(**values, revision=users.c.revision + 1, updated_at=work.now)
        .returning(*COLUMNS)
    )
    try:
        return read_user((await work.execute(statement)).mappings().one())
    except IntegrityError as error:
        raise EmailTaken from error


async def set_password(work: Work, user_id: str, password_hash: str) -> bool:
    """Replace the password's hash; False where there is no such person. It is no change of what others see."""
    statement = update(users).where(users.c.id == user_id).values(password_hash=password_hash)
    return (await work.execute(statement)).rowcount == 1


async def remove(work: Work, user_id: str) -> None:
    """Delete a person, with their sessions and API keys."""
    await work.execute(delete(users).where(users.c.id == user_id))


async def browse(
    work: Work, *, wanted: list[ColumnElement[bool]], after: str | None, limit: int
) -> list[tuple[str, User]]:
    """People in the order of their folded email addresses, each with that, which is where a page may go on."""
    statement = select(*COLUMNS, users.c.folded_email).where(*wanted).order_by(users.c.folded_email).limit(limit)
    if after is not None:
        statement = statement.where(users.c.folded_email > after)
    return [(row["folded_email"], read_user(row)) for row in (await work.execute(statement)).mappings()]


def with_text(text: str) -> ColumnElement[bool]:
    """People whose email address or name contains this text, without regard to case."""
    return or_(
        users.c.folded_email.contains(fold_email(text), autoescape=True), users.c.name.icontains(text, autoescape=True)
    )


def with_column(name: str, value: str | bool) -> ColumnElement[bool]:
    """People with exactly this value in a column."""
    return users.c[name] == value


def read_user(row: Mapping[Any, Any]) -> User:
    """A person out of a row that has all of COLUMNS."""
    return User(**{name: row[name] for name in User.__slots__} | {"role": Role(row["role"])})


def _one(row: Mapping[Any, Any] | None) -> User | None:
    return None if row is None else read_user(row)


async def _account(work: Work, statement: Select[Any]) -> Account | None:
    row = (await work.execute(statement)).mappings().first()
    return None if row is None else Account(read_user(row), row["password_hash"])
