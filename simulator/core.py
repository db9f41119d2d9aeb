"""The charging station itself, whatever it speaks: power, network, registration, connectors, commands."""

import asyncio
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from random import Random
from typing import Any

import aiohttp

from simulator import answering, backoff, charging, frames, telling
from simulator.clock import Clock
from simulator.connector import Connector, State
from simulator.dialect import Dialect
from simulator.identity import Identity
from simulator.ledger import Ledger
from simulator.link import DialFailed, Link
from simulator.memory import Memory
from simulator.outbox import TransactionQueue
from simulator.quirks import Quirks
from simulator.registration import Registration
from simulator.sender import Sender
from simulator.tasks import Tasks
from simulator.variables import Settings, Store


class StationCore:
    """A charging station as a state machine; its version's words come from a dialect.

    It runs two tasks, one that stays connected and reads, one that sends, and one more per charge.
    """

    def __init__(
        self,
        *,
        url: str,
        station_id: str,
        dialect: Dialect,
        session: Callable[[], aiohttp.ClientSession],
        password: str | bytes | None,
        ssl_context: ssl.SSLContext | None,
        connectors: int,
        settings: Mapping[str, Any],
        clock: Clock,
        rng: Random,
        quirks: Iterable[str],
        identity: Identity,
        ledger: Ledger,
    ) -> None:
        self.station_id = station_id
        self.dialect = dialect
        self.identity = identity
        self.clock = clock
        self.rng = rng
        self.ledger = ledger
        self.quirks = Quirks(quirks)
        self.settings = Settings(**{**settings, **self.quirks.habits.settings})
        self.store = Store.of(self.settings, dialect.variables(connectors))
        self.memory = Memory()
        self.connectors = {n: Connector(n, rng.randrange(10_000, 5_000_000)) for n in range(1, connectors + 1)}
        self.tasks = Tasks(station_id)
        self.dial_failures: list[str] = []
        self._ready = asyncio.Event()
        self._network = asyncio.Event()
        self._redial = asyncio.Event()
        self.powered = False
        self._connections = 0
        self._ever_ready = False
        self._configure_by_habit()
        self.link = Link(
            url=url,
            station_id=station_id,
            subprotocol=dialect.subprotocol if self.quirks.habits.offers_subprotocol else None,
            password=password,
            session=session,
            ssl_context=ssl_context,
        )
        self.registration = Registration(
            settings=self.settings,
            boot=lambda reason: dialect.boot(self.identity, reason),
            key=f"{station_id}/BootNotification",
            on_accepted=self._accepted,
            repeat_s=self.quirks.habits.repeats_boot_s,
        )
        self.sender = Sender(
            station_id=station_id,
            link=self.link,
            clock=clock,
            rng=rng,
            settings=self.settings,
            ledger=ledger,
            quirks=self.quirks,
            registration=self.registration,
            queue=TransactionQueue(
                self.settings,
                count_lost_links=self.quirks.habits.counts_lost_links,
                on_discard=ledger.discarded,
            ),
        )

    def _configure_by_habit(self) -> None:
        """Write what a quirk wants to stand in the store, whatever the variable allows."""
        for name, value in self.quirks.habits.variables.items():
            if (variable := self.store.find(name)) is not None:
                variable.value = value

    @property
    def online(self) -> bool:
        """Whether the socket is open."""
        return self.link.online

    @property
    def ever_ready(self) -> bool:
        """Whether the station has ever been connected and accepted."""
        return self._ever_ready

    @property
    def ready(self) -> bool:
        """Whether the station is connected and accepted, so that it may say what it likes."""
        return self.sender.ready

    async def wait_ready(self) -> None:
        """Wait until the station is connected and accepted."""
        await self._ready.wait()

    def power_up(self) -> None:
        """Boot for the first time; returns at once."""
        self.powered = True
        self.registration.reset("PowerUp")
        self._network.set()
        self.tasks.spawn(self._stay_connected())
        self.tasks.spawn(self.sender.run())

    async def close(self) -> None:
        """End everything; charges that run are not stopped, as when a station vanishes."""
        self._network.clear()
        await self.tasks.close()
        await self.link.close()

    def lose_network(self) -> None:
        """Cut the cable: no closing handshake. Charging and queuing go on."""
        self._network.clear()
        self.link.abort()
        self._ready.clear()

    def restore_network(self) -> None:
        """Plug the cable in again; a station with power dials at once."""
        if self.powered and not self._network.is_set():
            self._network.set()
            self._redial.set()

    def lose_power(self) -> None:
        """Lose everything but what is on flash: charges end here, and are reported after the next boot."""
        self.powered = False
        self.lose_network()
        charging.cut_all(self, "PowerLoss")

    def restore_power(self) -> None:
        """Boot again, with all states unknown to the central system."""
        self.powered = True
        self._forget_states("PowerUp")
        self.restore_network()

    async def reboot(self, *, reason: str, stop_reason: str) -> None:
        """End all charges for `stop_reason`, go down, and boot for `reason`."""
        charging.cut_all(self, stop_reason)
        await self.link.close()
        self._forget_states(reason)
        self._redial.set()

    def _forget_states(self, boot_reason: str) -> None:
        """Be as after a boot: unregistered, nothing announced."""
        if self.quirks.habits.boots or not self.registration.accepted:
            self.registration.reset(boot_reason)
        for connector in self.connectors.values():
            connector.announced = connector.acknowledged = None

    async def _stay_connected(self) -> None:
        """Dial, listen until the socket breaks, back off, and again."""
        pauses = self._pauses()
        while True:
            await self._network.wait()
            if await self._dial():
                pauses = self._pauses()
                await self._listen()
                self._disconnected()
            await self._back_off(next(pauses))

    def _pauses(self) -> Iterator[float]:
        """Return a fresh series of back-off waits, in link seconds."""
        return backoff.waits(
            self.rng,
            minimum=self.settings.backoff_minimum_s,
            random_range=self.settings.backoff_random_s,
            repeats=self.settings.backoff_repeats,
        )

    async def _dial(self) -> bool:
        """Try to connect once; a network lost meanwhile counts as a failure."""
        try:
            await self.link.dial(self.clock.real(self.settings.message_timeout_s))
        except DialFailed as failure:
            self.dial_failures.append(failure.reason)
            del self.dial_failures[:-100]
            return False
        if not self._network.is_set():
            self.link.abort()
            return False
        self._connected()
        return True

    async def _back_off(self, seconds: float) -> None:
        """Wait before the next dial; a restored network or a reboot ends the wait."""
        try:
            async with asyncio.timeout(self.clock.real(seconds)):
                await self._redial.wait()
        except TimeoutError:
            return
        finally:
            self._redial.clear()

    def _connected(self) -> None:
        """Say what is to be said on a new socket."""
        self._connections += 1
        habits = self.quirks.habits
        if habits.meters_before_boot:
            for connector in self.connectors.values():
                telling.read_loose(self, connector)
        if habits.boots_at_reconnect and self._connections > 1 and self.registration.accepted:
            self.registration.reset("Unknown")
        if habits.resends_start and self._connections > 1:
            telling.resend_starts(self)
        self.sender.connected()
        if self.registration.accepted:
            self._accepted()

    def _disconnected(self) -> None:
        """Take note that the socket is gone."""
        self.link.lost()
        self._ready.clear()
        self.sender.disconnected()
        for connector in self.connectors.values():
            connector.announced = connector.acknowledged
        if not self.quirks.habits.reconnects:
            self._network.clear()

    def _accepted(self) -> None:
        """Announce what the central system does not know yet."""
        for connector in self.connectors.values():
            self.announce(connector)
        if self.quirks.habits.flushes_history and not self._ever_ready:
            charging.flush_history(self)
        self._ready.set()
        self._ever_ready = True

    def set_state(self, connector: Connector, state: State) -> None:
        """Change a connector's state, and announce it if the version has a word for the change."""
        connector.state = state
        self.announce(connector)

    def announce(self, connector: Connector, *, forced: bool = False) -> None:
        """Send a StatusNotification if the state is news; offline, it is announced at reconnect."""
        word = self.dialect.reported_state(connector)
        if not forced and (word == connector.announced or not self.ready):
            return
        connector.announced = word

        def acknowledged(_: frames.Payload) -> None:
            connector.acknowledged = word

        self.sender.say(self.dialect.status(connector, self.clock.now()), acknowledged, forced=forced)

    async def _listen(self) -> None:
        """Obey the commands of the central system until the socket breaks."""
        async for call in self.link.read():
            if self.link.online:
                await answering.obey(self, call)
