"""Finds connections that are dead without having ended. One sweep for all of a pod: a timer each would take 2 KiB."""

import asyncio
from collections.abc import Iterable

import structlog

from communication_service.session import Session

log = structlog.get_logger()

_AT_ONCE = 50
_LATE_S = 1.0
_CATCH_UP_S = 5.0


async def watch(sessions: Iterable[Session], *, interval_s: float) -> None:
    """Probe every session twice per interval, for ever, a few at a time.

    So a station that is silent for an interval was pinged within it, and one that does not answer is dropped after
    one and a half.
    """
    while True:
        present = list(sessions)
        pause_s = interval_s / 2 / (len(present) // _AT_ONCE + 1)
        for start in range(0, len(present) + 1, _AT_ONCE):
            for session in present[start : start + _AT_ONCE]:
                await _probe(session)
            await _pause(pause_s)


async def _pause(seconds: float) -> None:
    """Sleep; after far too long a sleep this process stood still, and reads first what stations sent meanwhile."""
    loop = asyncio.get_running_loop()
    due = loop.time() + seconds
    await asyncio.sleep(seconds)
    late_s = loop.time() - due
    if late_s > _LATE_S:
        log.warning("stood_still", late_s=round(late_s, 1))
        await asyncio.sleep(min(late_s, _CATCH_UP_S))


async def _probe(session: Session) -> None:
    try:
        await session.probe()
    except Exception:
        log.exception("probe_failed", station=session.station_id)
