"""Gathering where order is free: requests and replies travel at once when idle, together under load."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from shared_contracts.bus import Limits
from shared_contracts.message import Envelope

IN_FLIGHT = 4
"""How many bodies to one address may await their confirm before the next envelopes are gathered."""


@dataclass(frozen=True, slots=True)
class Letter:
    """An envelope on its way. From `wanted_until` (loop time) on, nobody waits for it."""

    envelope: Envelope
    wanted_until: float


Carry = Callable[[str, list[Letter]], Awaitable[None]]
"""Publishes letters to one address in one body. It must not raise."""


@dataclass(slots=True)
class Round:
    """What goes to one address, while anything does."""

    waiting: deque[Letter] = field(default_factory=deque)
    in_flight: int = 0


class Couriers:
    """Carries letters to any number of addresses."""

    def __init__(self, carry: Carry, limits: Limits) -> None:
        self._carry = carry
        self._limits = limits
        self._rounds: dict[str, Round] = {}
        self._trips: set[asyncio.Task[None]] = set()

    def put(self, address: str, letter: Letter) -> None:
        """Hand over a letter; those that nobody waits for any more are forgotten."""
        turn = self._rounds.setdefault(address, Round())
        now = asyncio.get_running_loop().time()
        while turn.waiting and turn.waiting[0].wanted_until < now:
            turn.waiting.popleft()
        turn.waiting.append(letter)
        if turn.in_flight < IN_FLIGHT:
            turn.in_flight += 1
            trip = asyncio.create_task(self._travel(address, turn))
            self._trips.add(trip)
            trip.add_done_callback(self._trips.discard)

    async def stop(self, timeout: float) -> None:
        """Carry what waits, for at most `timeout` seconds; give up the rest."""
        if self._trips:
            await asyncio.wait(tuple(self._trips), timeout=timeout)
        for trip in self._trips:
            trip.cancel()

    async def _travel(self, address: str, turn: Round) -> None:
        try:
            while letters := self._load(turn.waiting):
                await self._carry(address, letters)
        finally:
            turn.in_flight -= 1
            if not turn.in_flight:
                del self._rounds[address]

    def _load(self, waiting: deque[Letter]) -> list[Letter]:
        now = asyncio.get_running_loop().time()
        letters: list[Letter] = []
        size = 0
        while waiting and len(letters) < self._limits.batch_envelopes:
            size += len(waiting[0].envelope.payload)
            if letters and size > self._limits.batch_bytes:
                break
            letter = waiting.popleft()
            if letter.wanted_until > now:
                letters.append(letter)
        return letters
