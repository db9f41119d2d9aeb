"""Asks a module for as long as a station waits: a module that restarts meanwhile goes unnoticed."""

import asyncio

from shared_contracts.bus import Bus, BusUnavailable, NoHandler, RequestFailed, RequestTimedOut, ask
from shared_contracts.message import R, Request

_ATTEMPT_S = 6.0
_PAUSE_S = 0.3


async def ask_patiently(bus: Bus, request: Request[R], *, within_s: float, trace: str | None = None) -> R:
    """Ask until somebody answers; a process that died took the request with it, and every handler bears a repeat.

    Raises what `Bus.request` raises: at once for a refusal, after `within_s` seconds for anything else.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + within_s
    while True:
        left = until - loop.time()
        try:
            return await ask(bus, request, timeout=min(_ATTEMPT_S, max(left, 0.1)), trace=trace)
        except (NoHandler, RequestTimedOut, BusUnavailable, RequestFailed) as error:
            refused = isinstance(error, RequestFailed) and error.code != "unavailable"
            if refused or loop.time() + _PAUSE_S >= until:
                raise
        await asyncio.sleep(_PAUSE_S)
