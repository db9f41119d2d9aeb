"""Honest stations that charge while something goes wrong, and the verdict afterwards."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from simulator import Fleet, Ledger
from simulator.ledger import Class
from tests.e2e.oracle import Findings, compare
from tests.e2e.stack import Stack
from tests.figures import seed_given

FAST = {
    "message_attempts": 10,
    "message_retry_s": 1,
    "message_timeout_s": 4,
    "backoff_minimum_s": 1,
    "backoff_random_s": 2,
    "boot_retry_s": 1,
}
"""Minutes of the field in seconds: so quick a station needs more tries than three to outlast a restart."""

_ON_THE_WAY_S = 20.0


async def until(condition: Callable[[], bool], what: str, *, within_s: float) -> None:
    """Wait until something holds; an AssertionError names what did not come."""
    try:
        async with asyncio.timeout(within_s):
            while not condition():
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"not within {within_s} s: {what}") from None


@dataclass
class Charging:
    """A fleet at work; its ledger tells what was acknowledged."""

    fleet: Fleet
    driving: asyncio.Task[None]

    @property
    def ledger(self) -> Ledger:
        """What the stations lived through."""
        return self.fleet.ledger

    @property
    def waiting(self) -> int:
        """How many calls of theirs are not answered yet."""
        counts = self.ledger.counts
        return counts["sent"] - sum(counts[one] for one in (Class.ANSWERED, Class.REFUSED, Class.UNANSWERED))

    async def begun(self, charges: int, *, within_s: float = 90.0) -> None:
        """Wait until so many charges have begun."""
        counts = self.ledger.counts
        await until(lambda: counts["charges_started"] >= charges, f"{charges} charges begun", within_s=within_s)

    async def sampled(self, samples: int, *, within_s: float = 90.0) -> None:
        """Wait until so many samples of meters were acknowledged."""

        def enough() -> bool:
            return sum(sample.acknowledged for one in self.ledger.transactions for sample in one.samples) >= samples

        await until(enough, f"{samples} samples acknowledged", within_s=within_s)

    async def end(self) -> None:
        """Begin no further charges."""
        self.driving.cancel()
        await asyncio.gather(self.driving, return_exceptions=True)

    async def settled(self, strum: Stack, *, samples: bool = True, within_s: float = 60.0) -> Findings:
        """End all charges, let the stations deliver everything, and hold their ledger against the API.

        Meter values are answered when the broker has them: what is missing yet may be on its way for a while.
        """
        await self.end()
        await self.fleet.stop_charges()
        async with asyncio.timeout(within_s):
            for station in self.fleet.stations:
                await station.drained()
        await strum.eventually("/transactions", lambda page: not page["items"], open=True, within_s=within_s)
        findings = await compare(self.ledger, strum, samples=samples)
        deadline = time.monotonic() + _ON_THE_WAY_S
        while findings.lost and time.monotonic() < deadline:
            await asyncio.sleep(1.0)
            findings = await compare(self.ledger, strum, samples=samples)
        return findings


@asynccontextmanager
async def charging(url: str, *, stations: int = 60, seed: int | None = None, **options: Any) -> AsyncIterator[Charging]:
    """Stations of all three versions that each begin a charge within some seconds and go on charging now and then.

    `seed` is that of the run unless given; `options` are those of `Fleet`.
    """
    given: dict[str, Any] = {
        "version": ("1.6", "2.0.1", "2.1"),
        "rate": 60,
        "charge_minutes": (1.0, 2.0),
        "first_within_s": 60,
        "meter_interval": 20,
        "speed": 8,
        "settings": FAST,
        "ledger": Ledger(),
    }
    chosen = seed_given() if seed is None else seed
    async with Fleet(url=url, stations=stations, seed=chosen, **(given | options)) as fleet:
        at_work = Charging(fleet, asyncio.create_task(fleet.run()))
        try:
            yield at_work
        finally:
            await at_work.end()


def transaction_messages(ledger: Ledger, outcome: Class) -> int:
    """How many messages of transactions ended so. REFUSED must stay 0: our trouble never causes a CALLERROR."""
    return sum(
        count
        for (action, ended), count in ledger.by_action.items()
        if ("Transaction" in action or action == "MeterValues") and ended is outcome
    )
