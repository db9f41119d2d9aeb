"""The management service: hosts modules, runs their consumers, serves their routes."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

import structlog
from aiohttp import web

from management_service.auth import Authenticator
from management_service.consumers import Consumer
from management_service.databases import Database
from management_service.entrance import Entrance
from management_service.headers import harden
from management_service.health import Health
from management_service.hosted import Hosted
from management_service.http import mount, problems
from management_service.limits import RateLimits
from management_service.quarantine.desk import Desk
from management_service.requests import responders
from management_service.settings import ManagementSettings
from migrations import upgrade
from modules import catalogue
from shared_contracts.bus import Bus, ask
from shared_contracts.server_log import ServerLog
from shared_contracts.users import CreateUser, Role, UserChanged

log = structlog.get_logger()

_BODY_BYTES = 1024 * 1024
_DRAIN_S = 5.0


class Management:
    """Modules, hosted. `start` returns when the API answers; `stop` finishes what is under way.

    A module's resources are open before the first message or request reaches it, and until after the last.
    """

    def __init__(
        self, settings: ManagementSettings, bus: Bus, *, modules: Sequence[str] = catalogue.NAMES, migrate: bool = True
    ) -> None:
        self.settings = settings
        self.bus = bus
        self.port = settings.port
        self.tls_port = settings.tls.port
        self._migrate = migrate
        self._databases: dict[str, Database] = {}
        self.hosted = [self._host(name) for name in modules]
        self._consumers = [self._consumer(hosted) for hosted in self.hosted]
        self._authenticator = Authenticator(bus)
        self._closing = AsyncExitStack()
        self._runner: web.AppRunner | None = None
        self._entrance: Entrance | None = None

    def _host(self, name: str) -> Hosted:
        module = catalogue.load(name)
        url = self.settings.url_of(name)
        if url not in self._databases:
            self._databases[url] = Database(url, self.settings)
        return Hosted(module, self._databases[url], self.bus, self.settings.of_module(name))

    def _consumer(self, hosted: Hosted) -> Consumer:
        within_s = self.settings.consumer_stalled_after_s
        consumer = Consumer(hosted, stalled_after_s=within_s)
        hosted.resources[Desk] = Desk(hosted.module.name, consumer.store, consumer, within_s=within_s)
        return consumer

    async def start(self) -> None:
        """Wait for the database, migrate, start the modules, then take messages and requests."""
        health = Health(self.bus, self.hosted, self._consumers)
        await self._serve(health)
        ticking = asyncio.create_task(health.loop.run())
        self._closing.callback(ticking.cancel)
        for database in self._databases.values():
            self._closing.push_async_callback(database.close)
            await database.wait()
        if self._migrate:
            urls: Mapping[str, str] = {
                hosted.module.name: self.settings.url_of(hosted.module.name) for hosted in self.hosted
            }
            await upgrade(self.settings.database_url, modules=urls)
        for hosted in self.hosted:
            await hosted.database.wait_for_schema(hosted.module.schema)
            self._closing.push_async_callback(hosted.close)
            await hosted.open()
        self._connect()
        self._closing.push_async_callback(self.bus.stop)
        await self.bus.start()
        for hosted in self.hosted:
            self._closing.push_async_callback(hosted.end)
            hosted.run()
        await self._ensure_admin()
        health.started = True
        log.info("management_started", modules=[hosted.module.name for hosted in self.hosted], port=self.port)

    def reload(self) -> None:
        """Read certificates again."""
        if self._entrance is not None:
            self._entrance.reload()

    async def stop(self) -> None:
        """Take no more requests and answer those under way, then stop in the reverse order of the start."""
        if self._runner is not None:
            await self._runner.cleanup()
        await self._closing.aclose()
        log.info("management_stopped")

    async def _ensure_admin(self) -> None:
        email, password = self.settings.admin_email, self.settings.admin_password
        if email and password and any(hosted.module.name == "users" for hosted in self.hosted):
            request = CreateUser(email=email, role=Role.ADMIN, password=password.get_secret_value())
            await ask(self.bus, request, timeout=30.0)

    def _connect(self) -> None:
        for hosted, consumer in zip(self.hosted, self._consumers, strict=True):
            handlers = responders(hosted)
            if handlers:
                self.bus.serve(hosted.module.name, handlers)
            subscription = consumer.subscription()
            if subscription is not None:
                self.bus.subscribe(subscription)
        self.bus.listen(frozenset({UserChanged.key}), self._authenticator.hear)

    async def _serve(self, health: Health) -> None:
        application = web.Application(client_max_size=_BODY_BYTES, middlewares=[problems])
        health.mount(application)
        application.on_response_prepare.append(harden)
        self._entrance = entrance = Entrance(self.settings, application)
        watching = asyncio.create_task(entrance.watch())
        self._closing.callback(watching.cancel)
        mount(application, self.hosted, self._authenticator, RateLimits(self.settings))
        self._runner = runner = web.AppRunner(
            application, access_log=None, logger=ServerLog(), shutdown_timeout=_DRAIN_S, auto_decompress=False
        )
        await runner.setup()
        await entrance.open(runner)
        self.port, self.tls_port = entrance.port, entrance.tls_port
