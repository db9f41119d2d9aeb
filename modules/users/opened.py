"""What the module opens at its start, and does from time to time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from modules.kernel.work import ModuleContext, Work
from modules.users.passwords import Passwords, open_passwords
from modules.users.repository import sessions
from modules.users.settings import UsersSettings
from modules.users.signing import keep_keys
from modules.users.throttle import Throttle

_EVERY_S = 3600


@dataclass(frozen=True, slots=True)
class OpenWork:
    """Opens a short work of its own, for what is read before a password is hashed."""

    open: Callable[[], AbstractAsyncContextManager[Work]]

    def __call__(self) -> AbstractAsyncContextManager[Work]:
        """A work that commits on leaving."""
        return self.open()


@asynccontextmanager
async def open_resources(context: ModuleContext) -> AsyncIterator[Mapping[type, object]]:
    """Make the first signing key, and start the threads for passwords."""
    settings = context.resources[UsersSettings]
    assert isinstance(settings, UsersSettings)
    async with context.work() as work:
        await keep_keys(work)
    throttle = Throttle(settings.sign_in_attempts, settings.sign_in_window_s)
    async with open_passwords(settings) as passwords:
        yield {Passwords: passwords, Throttle: throttle, OpenWork: OpenWork(context.work)}


async def tidy(context: ModuleContext) -> None:
    """Every hour: replace signing keys that are too old, forget sessions that are over."""
    while True:
        async with context.work() as work:
            await keep_keys(work)
            await sessions.forget_expired(work)
        await asyncio.sleep(_EVERY_S)
