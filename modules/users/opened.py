"""What the module opens at its start, and does from time to time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from modules.kernel.work import ModuleContext, Work
from modules.users.passwords import Passwords, open_passwords
from modules.users.repository import attempts, sessions
from modules.users.settings import UsersSettings
from modules.users.signing import keep_keys

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
    async with open_passwords(settings) as passwords:
        yield {Passwords: passwords, OpenWork: OpenWork(context.work)}


async def tidy(context: ModuleContext) -> None:
    """Every hour: replace signing keys that are too old, forget sessions that are over and failures that are old."""
    window = timedelta(seconds=cast("UsersSettings", context.settings).sign_in_window_s)
    while True:
        async with context.work() as work:
            await keep_keys(work)
            await sessions.forget_expired(work)
            await attempts.forget_old(work, window=window)
        await asyncio.sleep(_EVERY_S)
