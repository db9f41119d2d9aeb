"""What a station says next: one outstanding call at a time (OCPP-J §4.1.1), by priority."""

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import count
from random import Random
from time import perf_counter
from uuid import UUID

from simulator import frames
from simulator.call import Message, OutgoingCall, message
from simulator.clock import Clock
from simulator.ledger import Ledger
from simulator.link import Link
from simulator.outbox import TransactionQueue
from simulator.outcome import OFFLINE, Outcome, Unanswered
from simulator.quirks import Quirks
from simulator.registration import Registration
from simulator.variables import Settings


class Sender:
    """Chooses and sends the calls of a station.

    The order is: calls that a trigger forced, the registration, ordinary calls, the head of the
    transaction queue, a heartbeat. Ordinary calls may overtake queued transaction messages (OCPP 1.6
    §3.7) and are dropped at their first failure; transaction messages keep their order and are retried.
    """

    def __init__(
        self,
        *,
        station_id: str,
        link: Link,
        clock: Clock,
        rng: Random,
        settings: Settings,
        ledger: Ledger,
        quirks: Quirks,
        registration: Registration,
        queue: TransactionQueue,
    ) -> None:
        self._station_id = station_id
        self._link = link
        self._clock = clock
        self._rng = rng
        self._settings = settings
        self._ledger = ledger
        self._quirks = quirks
        self._registration = registration
        self.queue = queue
        self._ordinary: deque[OutgoingCall] = deque()
        self._forced: deque[OutgoingCall] = deque()
        self._heartbeat_at = 0.0
        self._wake = asyncio.Event()
        self._facts = count(1)
        self._ids = count(1)

    @property
    def ready(self) -> bool:
        """Whether the station may say anything: connected and accepted."""
        return self._link.online and self._registration.accepted

    def say(
        self, message: Message, on_answer: Callable[[frames.Payload], None] | None = None, *, forced: bool = False
    ) -> OutgoingCall:
        """Send an ordinary call soon, or drop it at once if the station may not speak.

        A forced call, asked for by a trigger, is sent even before the station is accepted.
        """
        call = OutgoingCall(message, f"{self._station_id}/{message.action}/{next(self._facts)}", on_answer)
        if self.ready or (forced and self._link.online):
            (self._forced if forced else self._ordinary).append(call)
            self.wake()
        else:
            call.settle(Unanswered(OFFLINE))
        return call

    def queue_up(self, call: OutgoingCall) -> None:
        """Queue a transaction message; nobody waits for it while the station may not speak."""
        self.queue.append(call)
        if not self.ready:
            call.tried.set()
        self.wake()

    def wake(self) -> None:
        """Look again at what is to be sent."""
        self._wake.set()

    def connected(self) -> None:
        """Take note of a new socket."""
        self._heartbeat_at = self._clock.link_now() + self._settings.heartbeat_s
        if self._quirks.habits.counts_message_ids:
            self._ids = count(1)
        self.wake()

    def disconnected(self) -> None:
        """Drop what only made sense on the lost socket, and release whoever waits."""
        for calls in (self._forced, self._ordinary):
            while calls:
                calls.popleft().settle(Unanswered(OFFLINE))
        self.queue.release()

    async def run(self) -> None:
        """Send for ever."""
        while True:
            self._wake.clear()
            now = self._clock.link_now()
            if (call := self._choose(now)) is not None:
                await self._send(call)
            else:
                await self._doze(now)

    def _choose(self, now: float) -> OutgoingCall | None:
        """Return what is to be sent now."""
        if not self._link.online:
            return None
        if self._forced:
            return self._forced.popleft()
        if self._registration.due(now):
            return self._registration.call()
        if not self._registration.accepted:
            return None
        if self._ordinary:
            return self._ordinary.popleft()
        return self.queue.due(now) or self._heartbeat(now)

    def _heartbeat(self, now: float) -> OutgoingCall | None:
        """Return a Heartbeat if it is time."""
        if now < self._heartbeat_at:
            return None
        return OutgoingCall(message("Heartbeat", {}), f"{self._station_id}/Heartbeat/{next(self._facts)}")

    async def _doze(self, now: float) -> None:
        """Wait for something to send."""
        due = self._next_due(now)
        timeout = None if due is None else max(0.0, self._clock.real(due - now))
        try:
            async with asyncio.timeout(timeout):
                await self._wake.wait()
        except TimeoutError:
            return

    def _next_due(self, now: float) -> float | None:
        """Return the link time at which something becomes due by itself."""
        if not self._link.online:
            return None
        times = [self._registration.due_at]
        if self._registration.accepted:
            times.append(self._heartbeat_at)
            if self.queue.not_before > now and len(self.queue):
                times.append(self.queue.not_before)
        return min((time for time in times if time is not None), default=None)

    async def _send(self, call: OutgoingCall) -> None:
        """Send a call, record it, and act on its outcome."""
        message_id = self._message_id(call)
        payload = self._quirks.payload(call.message.action, call.message.build())
        text = self._quirks.text(
            call.message.action, frames.dump(frames.Call(message_id, call.message.action, payload))
        )
        sent = self._ledger.sending(
            station_id=self._station_id, action=call.message.action, message_id=message_id, key=call.key
        )
        began = perf_counter()
        outcome: Outcome = Unanswered(OFFLINE)
        try:
            outcome = await self._link.exchange(message_id, text, self._clock.real(self._settings.message_timeout_s))
        finally:
            self._ledger.settle(sent, outcome, latency_s=perf_counter() - began)
        self._settle(call, outcome)

    def _settle(self, call: OutgoingCall, outcome: Outcome) -> None:
        """Let the queue, the registration and the waiting learn the outcome."""
        now = self._clock.link_now()
        self._heartbeat_at = now + self._settings.heartbeat_s
        if self.queue.due(float("inf")) is call:
            self.queue.settle(call, outcome, now)
        self._registration.settle(call, outcome, now)
        call.settle(outcome)

    def _message_id(self, call: OutgoingCall) -> str:
        """Return a new id, or the call's former one if the station keeps ids on a retry."""
        habits = self._quirks.habits
        if call.message_id is None or not habits.keeps_message_id:
            counted = str(next(self._ids)) if habits.counts_message_ids else None
            call.message_id = counted or str(UUID(int=self._rng.getrandbits(128), version=4))
        return call.message_id
