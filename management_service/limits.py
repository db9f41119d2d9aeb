"""How often one may ask: token buckets per caller and per address, in the memory of this process."""

import math
import time
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from management_service.settings import ManagementSettings
from modules.kernel.errors import TooManyRequests
from modules.kernel.scopes import Principal
from shared_contracts.sources import neighbourhood

_REMEMBERED = 50_000
_STREAM_RETRY_S = 60
_BAD_CREDENTIALS = 20.0
"""Credentials that do not hold cost as much as so many requests: they are looked up, and somebody may be guessing."""


@dataclass(slots=True)
class _Bucket:
    left: float
    filled_at: float


class Buckets:
    """A bucket for each name: `rate` requests a second on average, `burst` at once. Bounded in number."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, name: str, cost: float = 1.0) -> None:
        """Raises TooManyRequests where the bucket is empty; it may be owed for what is found to cost more later."""
        now = time.monotonic()
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = _Bucket(self._burst, now)
            if len(self._buckets) > _REMEMBERED:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(name)
            bucket.left = min(self._burst, bucket.left + (now - bucket.filled_at) * self._rate)
            bucket.filled_at = now
        if bucket.left < 1.0:
            raise TooManyRequests(math.ceil((1.0 - bucket.left) / self._rate))
        bucket.left -= cost

    def owe(self, name: str, cost: float) -> None:
        """Take more for what was let in already; never below one burst of debt."""
        bucket = self._buckets.get(name)
        if bucket is not None:
            bucket.left = max(-self._burst, bucket.left - cost)


class OpenStreams:
    """How many answers that last one caller has open: they are paid once, however long they are read."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[str] = Counter()

    @contextmanager
    def one_more(self, caller: str) -> Iterator[None]:
        """While it is sent. Raises TooManyRequests where the caller has as many as one may have."""
        if self._open[caller] >= self._most:
            raise TooManyRequests(_STREAM_RETRY_S)
        self._open[caller] += 1
        try:
            yield
        finally:
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]


class RateLimits:
    """The limits of this process. Guesses of one do not stop others at the same address whose credentials are known."""

    def __init__(self, settings: ManagementSettings) -> None:
        self._callers = Buckets(settings.api_rate, settings.api_burst)
        self._sources = Buckets(settings.api_source_rate, settings.api_source_burst)
        self._strangers = Buckets(settings.api_source_rate, settings.api_source_burst)
        self._streams = OpenStreams(settings.api_streams)

    def admit_source(self, source: str) -> None:
        """Count a request of an address, before anything is done for it. Raises TooManyRequests."""
        self._sources.take(neighbourhood(source))

    def admit_stranger(self, source: str) -> None:
        """Count credentials of an address that have yet to be looked up. Raises TooManyRequests."""
        self._strangers.take(neighbourhood(source))

    def admit_caller(self, caller: Principal) -> None:
        """Count a request of a person, or of one of their API keys. Raises TooManyRequests."""
        self._callers.take(caller.api_key_id or caller.user_id)

    def streaming(self, caller: Principal | None) -> AbstractContextManager[None]:
        """Count an answer that lasts, for a person and all their API keys together. Raises TooManyRequests."""
        return self._streams.one_more("" if caller is None else caller.user_id)

    def blame(self, source: str) -> None:
        """This address showed credentials that do not hold."""
        self._strangers.owe(neighbourhood(source), _BAD_CREDENTIALS)
