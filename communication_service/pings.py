"""Finds connections that are dead without having ended. One sweep for all of a pod: a timer each would take 2 KiB."""

import asyncio
from collections.abc import Iterable

import structlog

from communication_service.session import Session

log = structlog.get_logger()

_AT_ONCE = 50


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
            await asyncio.sleep(pause_s)


async def _probe(session: Session) -> None:
    try:
        await session.probe()
    except Exception:
        log.exception("probe_failed", station=session.station_id)
