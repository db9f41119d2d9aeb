"""The outbox: events are stored with the effects they tell of, and published after the commit, in order."""

import asyncio
from enum import Enum, auto

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from management_service.failures import is_infrastructure
from modules.kernel.work import Work
from shared_contracts.bus import Bus, Unroutable
from shared_contracts.message import Envelope, pack, unpack

log = structlog.get_logger()

_BATCH = 500
_BATCH_BYTES = 8 * 1024 * 1024
"""A batch ends with the event that reaches this: the bus holds 64 MiB, of all outboxes of a process together."""
_POLL_S = 2.0
_BUSY_S = 0.05
"""The other process may have looked before our rows were committed, so that waiting for the poll would delay them."""


async def store_outgoing(work: Work, schema: str) -> None:
    """Write what the work publishes into its own transaction."""
    if work.outgoing:
        statement = text(
            f'INSERT INTO "{schema}".outbox (envelope, "only") '
            "SELECT * FROM unnest(CAST(:bodies AS bytea[]), CAST(:only AS text[]))"
        )
        bodies = [pack([envelope]) for envelope, _ in work.outgoing]
        await work.execute(statement, {"bodies": bodies, "only": [only for _, only in work.outgoing]})


class Relayed(Enum):
    """How far a relay came: there may be more; there is no more to do now; another process is at it."""

    SOME = auto()
    ALL = auto()
    ELSEWHERE = auto()


class Relay:
    """Publishes one schema's outbox. One process at a time does so (an advisory lock), which keeps the order.

    A row is deleted in the transaction that ends only after the bus confirmed it: published at least once. Where it
    did not, the rows are handed over again, and the bus sends the earlier ones no more. What nobody keeps would wait
    for ever, and all behind it: it is set aside in the quarantine.
    """

    def __init__(self, schema: str, engine: AsyncEngine, bus: Bus) -> None:
        self._engine = engine
        self._bus = bus
        self._wanted = asyncio.Event()
        self._ending = False
        self._lock = text(f"SELECT pg_try_advisory_xact_lock(hashtext('{schema}.outbox'))")
        oldest = f'SELECT id, octet_length(envelope) AS size FROM "{schema}".outbox ORDER BY id LIMIT {_BATCH}'
        summed = f"SELECT id, sum(size) OVER (ORDER BY id) - size AS before FROM ({oldest}) AS oldest"
        self._take = text(
            f'DELETE FROM "{schema}".outbox WHERE id IN '
            f"(SELECT id FROM ({summed}) AS summed WHERE before < {_BATCH_BYTES}) "
            'RETURNING id, envelope, "only"'
        )
        self._quarantine = text(
            f'INSERT INTO "{schema}".quarantine (key, station_id, header, body, reason, addressee) '
            "VALUES (:key, :station_id, :header, :body, :reason, :addressee)"
        )

    def wake(self) -> None:
        """Something was committed."""
        self._wanted.set()

    async def run(self) -> None:
        """Relay until `end`; infrastructure trouble is waited out."""
        while not self._ending:
            try:
                while (relayed := await self.relay_once()) is not Relayed.ALL:
                    if relayed is Relayed.ELSEWHERE:
                        await asyncio.sleep(_BUSY_S)
            except Exception as error:
                if not is_infrastructure(error):
                    raise
                log.warning("outbox_waits", error=repr(error))
                await asyncio.sleep(1.0)
            if self._ending:
                return
            try:
                async with asyncio.timeout(_POLL_S):
                    await self._wanted.wait()
            except TimeoutError:
                pass
            self._wanted.clear()

    def end(self) -> None:
        """Stop after what is under way."""
        self._ending = True
        self._wanted.set()

    async def relay_once(self) -> "Relayed":
        """Publish the oldest rows, if no other process does so now; one that has no broker leaves it to others."""
        if not self._bus.connected:
            return Relayed.ALL
        async with self._engine.begin() as connection:
            if not await connection.scalar(self._lock):
                return Relayed.ELSEWHERE
            sizes = await self._publish_oldest(connection)
        return Relayed.SOME if len(sizes) == _BATCH or sum(sizes) >= _BATCH_BYTES else Relayed.ALL

    async def _publish_oldest(self, connection: AsyncConnection) -> list[int]:
        """Returns the bytes of each row that was taken.

        What is for one module that does not exist is set aside; what is for all waits for the first listener.
        """
        rows = sorted((await connection.execute(self._take)).all())
        taken = [(envelope, only) for _, body, only in rows for envelope in unpack(bytes(body))]
        futures = [self._bus.publish(envelope, only=only, perishable=True) for envelope, only in taken]
        outcomes = await asyncio.gather(*futures, return_exceptions=True)
        for (envelope, only), outcome in zip(taken, outcomes, strict=True):
            if isinstance(outcome, Unroutable) and only is not None:
                await self._set_aside(connection, envelope, only, str(outcome))
            elif outcome is not None:
                raise outcome
        return [len(body) for _, body, _ in rows]

    async def _set_aside(self, connection: AsyncConnection, envelope: Envelope, only: str | None, reason: str) -> None:
        log.error("event_set_aside", key=envelope.key, id=envelope.id, only=only, reason=reason)
        row = {"key": envelope.key, "station_id": envelope.station_id, "header": envelope.header()}
        row |= {"body": envelope.payload, "reason": reason, "addressee": only}
        await connection.execute(self._quarantine, row)
