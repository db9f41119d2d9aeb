"""Services: what must be noticed though no message tells of it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import cast

import structlog

from modules.charge_points.service import commanding, connecting
from modules.charge_points.service.dispatching import ANSWER_GRACE_S
from modules.charge_points.settings import ChargePointsSettings
from modules.kernel.work import ModuleContext

log = structlog.get_logger()

_EVERY_S = 5.0
_OVERDUE = timedelta(seconds=ANSWER_GRACE_S + 10)


async def watch_pods(context: ModuleContext) -> None:
    """Give up the connections of pods that died.

    Whoever could not listen cannot call another silent: after a start, or trouble with the database, the time counts
    from then.
    """
    silence = timedelta(seconds=cast("ChargePointsSettings", context.settings).pod_silence_s)
    listening_since = datetime.now(UTC)
    while True:
        await asyncio.sleep(_EVERY_S)
        if datetime.now(UTC) - listening_since < silence:
            continue
        async with context.work() as work:
            lost = await connecting.give_up_silent_pods(work, silence=silence)
        if lost:
            log.warning("connections_lost_with_pod", connections=lost)


async def watch_commands(context: ModuleContext) -> None:
    """End commands that a crash of their process left under way."""
    while True:
        async with context.work() as work:
            overdue = await commanding.give_up_overdue(work, grace=_OVERDUE)
        if overdue:
            log.warning("commands_given_up", commands=overdue)
        await asyncio.sleep(_EVERY_S)
