"""Finds connections that are dead without having ended. One sweep for all of a pod: a timer each would take 2 KiB."""

import asyncio
from collections.abc import Iterable

import structlog

from communication_service.session import Session

log = structlog.get_logger()

_SLOTS = 20
"""Into so many parts a sweep is divided. A name decides on its own, so that one is probed at even distances."""
_AT_ONCE = 50
_LATE_S = 1.0
_CATCH_UP_S = 5.0


async def watch(sessions: Iterable[Session], *, interval_s: float) -> None:
    """Probe every session twice per interval, for ever.

    So a station that is silent for an interval was pinged within it, and one that does not answer is dropped after
    one and a half, however many others come and go.
    """
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        for slot in range(_SLOTS):
            for count, session in enumerate([one for one in sessions if hash(one.station_id) % _SLOTS == slot], 1):
                await _probe(session)
                if count % _AT_ONCE == 0:
                    await asyncio.sleep(0)
            due += interval_s / 2 / _SLOTS
            await asyncio.sleep(max(0.0, due - loop.time()))
            if loop.time() - due > _LATE_S:
                await _catch_up(loop.time() - due)
                due = loop.time()


async def _catch_up(late_s: float) -> None:
    """This process stood still: let it read what stations sent meanwhile before it judges any."""
    log.warning("stood_still", late_s=round(late_s, 1))
    await asyncio.sleep(min(late_s, _CATCH_UP_S))


async def _probe(session: Session) -> None:
    try:
        await session.probe()
    except Exception:
        log.exception("probe_failed", station=session.station_id)
