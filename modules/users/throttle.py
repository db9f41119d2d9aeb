"""Slows down who guesses passwords, without shutting out whose account it is.

Failures are counted in the database, so that all processes count together: of an account from one address, of an
address over all accounts, and of an account over all addresses. From an address where somebody signed in to this
account before, only the first of these counts: strangers' guesses do not keep a person out of their own account. Nor
do they where one stays signed in: exchanging a refresh token is not counted at all.
"""

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from modules.kernel.work import Work
from modules.users.domain import fold_email, secret_hash
from modules.users.errors import TooManyAttempts
from modules.users.opened import OpenWork
from modules.users.repository import attempts as repository
from modules.users.settings import UsersSettings
from shared_contracts.sources import neighbourhood


class Counted(StrEnum):
    """What failures are counted of."""

    PAIR = "pair"
    SOURCE = "source"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Places:
    """The names under which the attempts for an account from an address are counted: hashes, since people type
    passwords where email addresses belong.
    """

    pair: str
    source: str
    account: str

    @classmethod
    def of(cls, email: str, source: str) -> "Places":
        """The places of an attempt."""
        folded, near = fold_email(email), neighbourhood(source)
        return cls(_named(Counted.PAIR, folded, near), _named(Counted.SOURCE, near), _named(Counted.ACCOUNT, folded))


@asynccontextmanager
async def attempt(work: Work, email: str, source: str) -> AsyncIterator[None]:
    """Around the verification of a password: counts as failed until `forgive`, or until it ends in trouble of ours.

    Many at once count too. Raises TooManyAttempts.
    """
    await _admit(work, email, source)
    try:
        yield
    except Exception:
        with suppress(Exception):  # what went wrong first is what counts
            async with work.resource(OpenWork)() as counting:
                places = Places.of(email, source)
                await repository.take_back(counting, await _counted(counting, places))
        raise


async def forgive(work: Work, email: str, source: str) -> None:
    """The password was right: forget the failures before it, take this attempt back, and know the address from now on.

    What was counted of the address and of the account stays but for this attempt: whoever has an account of their own
    could otherwise wipe out their failures with others'.
    """
    places = Places.of(email, source)
    await repository.take_back(work, await _counted(work, places))
    await repository.forget(work, places.pair)
    await repository.know(work, places.pair)


async def _admit(work: Work, email: str, source: str) -> None:
    """In a work of its own: a refusal must not undo it, and no row stays locked while a password is verified.

    Who has to wait is not counted: neither does it prolong the wait of others, nor does it cost us a row.
    """
    settings = work.resource(UsersSettings)
    places, window = Places.of(email, source), timedelta(seconds=settings.sign_in_window_s)
    most = {
        places.pair: settings.sign_in_attempts,
        places.source: settings.sign_in_source_attempts,
        places.account: settings.sign_in_account_attempts,
    }
    async with work.resource(OpenWork)() as counting:
        counted = await _counted(counting, places)
        over = [
            each
            for each in await repository.counted(counting, counted, window=window)
            if each.count >= most[each.place]
        ]
        if not over:
            now = await repository.count(counting, counted, window=window)
            over = [each for each in now if each.count > most[each.place]]
    if over:
        left = max(each.first_at for each in over) + window - work.now
        raise TooManyAttempts(max(1, math.ceil(left.total_seconds())))


async def _counted(work: Work, places: Places) -> Sequence[str]:
    """Where an attempt is counted, sorted; of an address that is known, only of this account from there."""
    if await repository.is_known(work, places.pair):
        return [places.pair]
    return sorted((places.pair, places.source, places.account))


def _named(counted: Counted, *parts: str) -> str:
    return f"{counted}:{secret_hash(_joined(parts))}"


def _joined(parts: Sequence[str]) -> str:
    return "\n".join(parts)
