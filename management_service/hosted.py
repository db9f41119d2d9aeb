"""A module as it runs in this process: its engine, its works, its resources and services."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from management_service.outbox import Relay, store_outgoing
from modules.kernel.module import Module, Service
from modules.kernel.work import Work
from shared_contracts.bus import Bus

log = structlog.get_logger()


class Hosted:
    """The context of one module: implements `ModuleContext`."""

    def __init__(self, module: Module, engine: AsyncEngine, bus: Bus, settings: BaseModel) -> None:
        self.module = module
        self.engine = engine
        self.bus = bus
        self.settings = settings
        self.resources: dict[type, object] = {type(settings): settings, module.settings: settings}
        self.relay = Relay(module.schema, engine, bus)
        self._opened = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def work(self, *, trace: str | None = None, cause: str | None = None) -> AsyncIterator[Work]:
        """Commit on leaving, with the outbox; roll back on an exception."""
        work = Work(self.engine, self.bus, self.resources, trace=trace, cause=cause)
        try:
            yield work
            await store_outgoing(work, self.module.schema)
            await work.commit()
        except BaseException:
            await work.rollback()
            raise
        finally:
            await work.close()
        if work.outgoing:
            self.relay.wake()

    async def start(self) -> None:
        """Open the module's resources, then run its relay and services."""
        if self.module.resources is not None:
            opened = await self._opened.enter_async_context(self.module.resources(self))
            self.resources.update(opened)
        running = (Service("relay", lambda _: self.relay.run()), *self.module.services)
        self._tasks = [asyncio.create_task(self._supervise(service)) for service in running]

    async def stop(self) -> None:
        """End services and close resources."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._opened.aclose()

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
