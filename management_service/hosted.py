"""A module as it runs in this process: its engine, its works, its resources and services."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress

import structlog
from pydantic import BaseModel

from management_service.audit import AuditTrail
from management_service.databases import Database
from management_service.forgetting import forget_old
from management_service.measuring import measure
from management_service.outbox import Relay, store_outgoing
from modules.kernel.module import Module, Service
from modules.kernel.work import Finishing, Work
from shared_contracts.bus import Bus

log = structlog.get_logger()

_FINISH_S = 2.0


class Hosted:
    """The context of one module: implements `ModuleContext`."""

    def __init__(self, module: Module, database: Database, bus: Bus, settings: BaseModel) -> None:
        self.module = module
        self.database = database
        self.bus = bus
        self.settings = settings
        self.resources: dict[type, object] = {type(settings): settings, module.settings: settings}
        self.relay = Relay(module.schema, database.relaying, bus)
        self.audit = AuditTrail(self)
        self.is_open = False
        self._opened = AsyncExitStack()
        self._relaying: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def work(self, *, trace: str | None = None, cause: str | None = None) -> AbstractAsyncContextManager[Work]:
        """Commit on leaving, with the outbox; roll back on an exception."""
        return self._work(Work(self.database.working, self.bus, self.resources, trace=trace, cause=cause))

    def serve(self, *, trace: str | None = None) -> AbstractAsyncContextManager[Work]:
        """The same for a request over HTTP, whose connections are others."""
        return self._work(Work(self.database.serving, self.bus, self.resources, trace=trace))

    @asynccontextmanager
    async def _work(self, work: Work) -> AsyncIterator[Work]:
        self.database.check()
        try:
            yield work
            await store_outgoing(work, self.module.schema)
            await work.commit()
        except BaseException:
            with suppress(Exception):  # the connection may be lost: what went wrong first is what counts
                await work.rollback()
            raise
        finally:
            await work.close()
        if work.outgoing:
            self.relay.wake()

    async def open(self) -> None:
        """Open the module's resources: from now on its handlers may be called."""
        if self.module.resources is not None:
            opened = await self._opened.enter_async_context(self.module.resources(self))
            self.resources.update(opened)
        self.is_open = True

    async def close(self) -> None:
        """Close the resources, once nothing calls the handlers any more."""
        self.is_open = False
        await self._opened.aclose()

    def run(self) -> None:
        """Run the relay, what keeps the host's tables small, and the module's own services."""
        relaying = Service("relay", lambda _: self.relay.run())
        self._relaying = asyncio.create_task(self._supervise(relaying))
        running = (
            Service("audit", lambda _: self.audit.run()),
            Service("forgetting", lambda _: forget_old(self, self.module.schema)),
            Service("measuring", lambda _: measure(self, self.module)),
            *self.module.services,
        )
        self._tasks = [asyncio.create_task(self._supervise(service)) for service in running]

    async def end(self) -> None:
        """Let resources finish, then end the services.

        The relay may finish what it has begun, lest it be said again after the next start.
        """
        for resource in self.resources.values():
            if isinstance(resource, Finishing):
                await resource.drain()
        tasks = list(self._tasks)
        with suppress(TimeoutError):
            async with asyncio.timeout(_FINISH_S):
                await self.audit.flush()
        if self._relaying is not None:
            self.relay.end()
            await asyncio.wait((self._relaying,), timeout=_FINISH_S)
            tasks.append(self._relaying)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _supervise(self, service: Service) -> None:
        pause_s = 0.5
        while True:
            try:
                await service.run(self)
                return
            except Exception as error:
                log.exception("service_failed", module=self.module.name, running=service.name, error=repr(error))
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, 10.0)
