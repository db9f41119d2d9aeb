"""What each part of the whole system spends while something happens."""

from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

from benchmarks.cpu import cpu_s
from benchmarks.ground import Ground, driver_url
from benchmarks.systems import pid_of
from shared_contracts.stations import MetersSampled
from tests.e2e.stack import Stack

PARTS = ("edge", "management", "broker", "database")

_STORED = {
    "message": "SELECT least((SELECT count(*) FROM transactions.meter_values),"
    f" (SELECT count(*) FROM diagnostics.events WHERE key = '{MetersSampled.key}'))",
    "transaction": "SELECT count(*) FROM transactions.transactions WHERE ended_at IS NOT NULL",
}
"""A MeterValues counts once it is in the tables of both modules that keep it, a transaction once it ended."""


@dataclass(frozen=True, slots=True)
class Meter:
    """Reads the CPU of the four parts, and counts in the database what they stored; that counting is left out."""

    pids: Mapping[str, int]
    database: asyncpg.Connection
    settle_s: float

    @classmethod
    async def of(cls, ground: Ground, system: Stack) -> "Meter":
        """A meter of a running system; `close` its connection."""
        url = driver_url(system.environment["STRUM_DATABASE_URL"])
        database = await asyncpg.connect(url, server_settings={"max_parallel_workers_per_gather": "0"})
        management, communication = (pid_of(service) for service in system.services)
        servers = (ground.rabbit.pid, ground.postgres.pid)
        pids = dict(zip(PARTS, (communication, management, *servers), strict=True))
        return cls(pids, database, ground.size.settle_s / 2)

    async def close(self) -> None:
        """Close the connection."""
        await self.database.close()

    def read(self) -> dict[str, float]:
        """CPU seconds by part, so far."""
        spent = {part: cpu_s(pid) for part, pid in self.pids.items()}
        spent["database"] -= cpu_s(self.database.get_server_pid())
        return spent

    async def stored(self, what: str) -> int:
        """How many a database holds of a "message" (MeterValues) or a whole "transaction"."""
        return int(await self.database.fetchval(_STORED[what]))
