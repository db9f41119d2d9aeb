"""Closing many connections at random moments of a span, so that not all stations come back at once."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable

from communication_service.session import Session

_AT_MOST_PER_S = 200


async def one_by_one(
    sessions: Iterable[Session],
    close: Callable[[Session], Awaitable[None]],
    *,
    over_s: float,
    hurry: asyncio.Event | None = None,
) -> None:
    """Close each once, over at most `over_s` seconds, and faster where they are few; at once after `hurry`."""
    present = list(sessions)
    span_s = min(over_s, len(present) / _AT_MOST_PER_S)
    hurried = hurry or asyncio.Event()

    async def later(session: Session) -> None:
        await unless(hurried, span_s * random.random())  # noqa: S311 -- jitter is no secret
        await close(session)

    await asyncio.gather(*(later(session) for session in present), return_exceptions=True)


async def unless(hurry: asyncio.Event, seconds: float) -> None:
    """Sleep, but not longer than until there is hurry."""
    try:
        async with asyncio.timeout(seconds):
            await hurry.wait()
    except TimeoutError:
        return
