"""Lets a consumer of a module stand still while it stays connected: what it waits for never comes, and nobody is told.

It does so once; what is tried again afterwards goes through.
"""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from management_service.consumers import Consumer
from modules.kernel.work import Work
from tests.faults.sabotaged import Function, Fuse, say, wrap


async def _stand_still(fuse: Fuse) -> None:
    if fuse.burn():
        say(f"stalled at {fuse.point}")
        await asyncio.Event().wait()


def _before_commit(fuse: Fuse) -> None:
    """A batch of events has had its effects; they hold their locks, and are never committed."""
    consuming: ContextVar[bool] = ContextVar("consuming", default=False)

    def noting(original: Function) -> Function:
        async def process(self: Consumer, *rest: Any) -> None:
            consuming.set(self.name == fuse.module)
            await original(self, *rest)

        return process

    def around(original: Function) -> Function:
        async def commit(self: Work) -> None:
            if consuming.get():
                await _stand_still(fuse)
            await original(self)

        return commit

    wrap(Consumer, "_process", noting)
    wrap(Work, "commit", around)


def _after_commit(fuse: Fuse) -> None:
    """A batch of events is committed, and its consumer does not come to acknowledge it."""

    def around(original: Function) -> Function:
        async def process(self: Consumer, *rest: Any) -> None:
            await original(self, *rest)
            if self.name == fuse.module:
                await _stand_still(fuse)

        return process

    wrap(Consumer, "_process", around)


POINTS: dict[str, Callable[[Fuse], None]] = {"before_commit": _before_commit, "after_commit": _after_commit}
