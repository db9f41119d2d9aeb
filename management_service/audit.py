"""Who did what: every request that would change something leaves a record, which diagnostics keeps.

What was done is told through the outbox, in the transaction that did it. What changed nothing is gathered for a moment
first, so that whoever is refused a thousand times a second does not fill the table.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from modules.kernel.http import Route
from modules.kernel.scopes import Principal
from modules.kernel.work import ModuleContext, Work
from shared_contracts.management import RequestAudited
from shared_contracts.message import new_id

log = structlog.get_logger()

_EVERY_S = 2.0
_KINDS = 50
"""So many different refusals are told apart within one interval; the rest of it is counted by status alone."""
_ENDED = 10_000
_LONGEST = 255
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(slots=True)
class Asked:
    """One request, as the audit trail tells of it; filled in as the host learns who asks."""

    route: Route
    source: str
    parameters: Mapping[str, str]
    trace: str
    id: str = field(default_factory=new_id)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    principal: Principal | None = None
    work: Work | None = None
    code: str | None = None
    is_begun: bool = False
    """Its effects are committed, its answer is still to come."""
    is_told: bool = False

    @property
    def changes(self) -> bool:
        """Whether it is of a kind that leaves a record."""
        return self.route.method not in _SAFE

    def record(self, status: int | None) -> RequestAudited:
        """The record with this outcome."""
        who = self.principal
        return RequestAudited(
            request_id=self.id,
            requested_at=self.at,
            method=self.route.method,
            route=self.route.path,
            source=self.source[:_LONGEST],
            trace=self.trace,
            user_id=who.user_id if who else self.work and self.work.subject,
            role=who and who.role,
            api_key_id=who and who.api_key_id,
            parameters={name: value.replace("\0", "")[:_LONGEST] for name, value in self.parameters.items()},
            status=status,
            code=self.code,
        )


class AuditTrail:
    """The records of the requests to one module."""

    def __init__(self, context: ModuleContext) -> None:
        self._context = context
        self._refused: dict[tuple[object, ...], RequestAudited] = {}
        self._ended: list[RequestAudited] = []
        self._waiting = asyncio.Event()

    def tell(self, work: Work, asked: Asked, status: int | None) -> None:
        """Record a request in the transaction that has its effects; None while the answer is still to come."""
        if asked.changes:
            work.publish(asked.record(status), occurred_at=asked.at)

    def tell_later(self, asked: Asked, status: int) -> None:
        """Record how a request ended that changed nothing, or whose effects are recorded already."""
        if not asked.changes or asked.is_told:
            return
        record = asked.record(status)
        if not asked.is_begun:
            self._gather(record)
        elif len(self._ended) < _ENDED:
            self._ended.append(record)
        self._waiting.set()

    def _gather(self, record: RequestAudited) -> None:
        kind = _kind(record)
        if kind not in self._refused and len(self._refused) >= _KINDS:
            many = {"method": "", "route": "", "source": "", "user_id": None, "role": None, "api_key_id": None}
            record = record.model_copy(update={**many, "parameters": {}, "code": None})
            kind = _kind(record)
        earlier = self._refused.get(kind)
        if earlier is not None:
            update = {"count": earlier.count + record.count, "last_at": record.last_at or record.requested_at}
            record = earlier.model_copy(update=update)
        self._refused[kind] = record

    async def run(self) -> None:
        """Publish what was gathered, every few seconds, for ever; what cannot be stored now waits."""
        while True:
            await self._waiting.wait()
            await asyncio.sleep(_EVERY_S)
            await self.flush()

    async def flush(self) -> None:
        """Publish what was gathered."""
        self._waiting.clear()
        refused, self._refused = self._refused, {}
        ended, self._ended = self._ended, []
        try:
            async with self._context.work() as work:
                for record in (*ended, *refused.values()):
                    work.publish(record, occurred_at=record.requested_at)
        except Exception as error:
            log.warning("audit_waits", records=len(refused) + len(ended), error=repr(error))
            newer, self._refused = self._refused, refused
            for record in newer.values():
                self._gather(record)
            self._ended = [*ended, *self._ended][:_ENDED]
            self._waiting.set()


def _kind(record: RequestAudited) -> tuple[object, ...]:
    """What refusals have in common that are one record."""
    who = record.user_id, record.api_key_id, record.source
    return *who, record.method, record.route, record.status, record.code
