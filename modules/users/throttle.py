"""Slows down who guesses passwords, without shutting out whose account it is.

Failures are counted per account *and* address: somebody else's guesses do not keep a person out who comes from
elsewhere. Each process counts for itself, in bounded memory.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from modules.users.domain import fold_email
from modules.users.errors import TooManyAttempts

_REMEMBERED = 50_000


@dataclass(slots=True)
class _Failures:
    first_at: datetime
    count: int = 0


class Throttle:
    """Counts attempts of each (account, address) within a window that begins with the first."""

    def __init__(self, attempts: int, window_s: int) -> None:
        self._attempts = attempts
        self._window = timedelta(seconds=window_s)
        self._failures: OrderedDict[tuple[str, str], _Failures] = OrderedDict()

    def admit(self, email: str, source: str, now: datetime) -> None:
        """Count an attempt as failed until `forgive` takes it back; many at once count too. Raises TooManyAttempts."""
        place = (fold_email(email), source)
        failures = self._failures.get(place)
        if failures is None or now >= failures.first_at + self._window:
            failures = self._failures[place] = _Failures(now)
        self._failures.move_to_end(place)
        if failures.count >= self._attempts:
            left = failures.first_at + self._window - now
            raise TooManyAttempts(math.ceil(left.total_seconds()))
        failures.count += 1
        if len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)

    def forgive(self, email: str, source: str) -> None:
        """The password was right: forget the failures before it."""
        self._failures.pop((fold_email(email), source), None)
