"""The management service: hosts modules, runs their consumers, serves their routes."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

import structlog
from aiohttp import web
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from management_service.auth import Authenticator
from management_service.consumers import Consumer
from management_service.health import Health
from management_service.hosted import Hosted
from management_service.http import mount, problems
from management_service.requests import responders
from management_service.settings import ManagementSettings
from migrations import upgrade
from modules import catalogue
from shared_contracts.bus import Bus, ask
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
        self._migrate = migrate
        self._engines: dict[str, AsyncEngine] = {}
        self.hosted = [self._host(name) for name in modules]
        self._consumers = [Consumer(hosted) for hosted in self.hosted]
        self._authenticator = Authenticator(bus)
        self._closing = AsyncExitStack()
        self._runner: web.AppRunner | None = None

    def _host(self, name: str) -> Hosted:
        module = catalogue.load(name)
        url = self.settings.url_of(name)
        if url not in self._engines:
            self._engines[url] = _engine(url, self.settings.database_pool_size)
        return Hosted(module, self._engines[url], self.bus, self.settings.of_module(name))

    async def start(self) -> None:
        """Wait for the database, migrate, start the modules, then take messages and requests."""
        health = Health(self.bus, self.hosted, self._consumers)
        await self._serve(health)
        ticking = asyncio.create_task(health.loop.run())
        self._closing.callback(ticking.cancel)
        for engine in self._engines.values():
            self._closing.push_async_callback(engine.dispose)
            await _wait_for(engine)
        if self._migrate:
            urls: Mapping[str, str] = {
                hosted.module.name: self.settings.url_of(hosted.module.name) for hosted in self.hosted
            }
            await upgrade(self.settings.database_url, modules=urls)
        for hosted in self.hosted:
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
        self.bus.listen(frozenset({UserChanged.key}), lambda _: self._authenticator.forget())

    async def _serve(self, health: Health) -> None:
        application = web.Application(client_max_size=_BODY_BYTES, middlewares=[problems])
        health.mount(application)
        mount(application, self.hosted, self._authenticator)
        self._runner = runner = web.AppRunner(application, access_log=None, shutdown_timeout=_DRAIN_S)
        await runner.setup()
        site = web.TCPSite(runner, self.settings.host, self.settings.port)
        await site.start()
        self.port = runner.addresses[0][1]


def _engine(url: str, pool_size: int) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=10,
        pool_pre_ping=False,
        hide_parameters=True,  # errors are logged, and what is stored may be secret
        connect_args={
            "timeout": 5,
            "server_settings": {
                "application_name": "strum",
                "statement_timeout": "30s",
                "lock_timeout": "5s",
                "idle_in_transaction_session_timeout": "60s",
            },
        },
    )


async def _wait_for(engine: AsyncEngine) -> None:
    """Try until the database answers, saying so."""
    while True:
        try:
            async with asyncio.timeout(5.0), engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except Exception as error:
            log.warning("waiting_for_database", database=engine.url.render_as_string(), error=repr(error))
            await asyncio.sleep(1.0)
        else:
            return
