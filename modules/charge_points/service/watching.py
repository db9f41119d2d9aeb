"""Services: what must be noticed though no message tells of it."""

import asyncio
import time
from datetime import timedelta
from typing import cast

import structlog

from modules.charge_points.repository import commands
from modules.charge_points.service import commanding, connecting
from modules.charge_points.service.dispatching import ANSWER_GRACE_S
from modules.charge_points.settings import ChargePointsSettings
from modules.kernel.work import ModuleContext

log = structlog.get_logger()

_EVERY_S = 5.0
_FROZEN_S = 2 * _EVERY_S
_STEP_S = 5.0
_FORGET_EVERY_S = 3600.0
_AT_ONCE = 5_000
_OVERDUE = timedelta(seconds=ANSWER_GRACE_S + 10)


async def watch_pods(context: ModuleContext) -> None:
    """Give up the connections of pods that died.

    Whoever could not listen cannot call another silent: after a start, trouble with the database or the broker, or a
    while in which this process was frozen, the time counts from then; and from when the clock of the host was set,
    since the signs of life bear the time before it.
    """
    silence = timedelta(seconds=cast("ChargePointsSettings", context.settings).pod_silence_s)
    listening = Steady()
    while True:
        await asyncio.sleep(_EVERY_S)
        if not context.bus.ready:
            listening = Steady()
        if listening.lasted() < silence:
            continue
        async with context.work() as work:
            lost = await connecting.give_up_silent_pods(work, silence=silence)
        if lost:
            log.warning("connections_lost_with_pod", connections=lost)


class Steady:
    """For how long this process has run on, and its clock without being set."""

    def __init__(self) -> None:
        self._since = self._difference = self._asked_at = 0.0
        self._begin()

    def lasted(self) -> timedelta:
        """Begins anew where wall clock and monotonic clock no longer agree, and where it was not asked for long."""
        frozen = time.monotonic() - self._asked_at > _FROZEN_S
        if frozen or abs(time.time() - time.monotonic() - self._difference) > _STEP_S:
            self._begin()
        self._asked_at = time.monotonic()
        return timedelta(seconds=time.monotonic() - self._since)

    def _begin(self) -> None:
        self._since, self._difference = time.monotonic(), time.time() - time.monotonic()
        self._asked_at = self._since


async def forget_commands(context: ModuleContext) -> None:
    """Every hour: delete commands that have ended and are older than the settings keep them."""
    days = cast("ChargePointsSettings", context.settings).commands_kept_days
    while True:
        forgotten = _AT_ONCE if days else 0
        while forgotten == _AT_ONCE:
            async with context.work() as work:
                forgotten = await commands.forget(work, ended_for=timedelta(days=days), at_most=_AT_ONCE)
        await asyncio.sleep(_FORGET_EVERY_S)


async def watch_commands(context: ModuleContext) -> None:
    """End commands that a crash of their process left under way."""
    while True:
        async with context.work() as work:
            overdue = await commanding.give_up_overdue(work, grace=_OVERDUE)
        if overdue:
            log.warning("commands_given_up", commands=overdue)
        await asyncio.sleep(_EVERY_S)
