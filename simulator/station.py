"""A charging station that a test or a fleet steers."""

import ssl
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from random import Random
from types import TracebackType
from typing import Any, Literal, Self

import aiohttp

from simulator import actions, charging
from simulator.call import message
from simulator.charge import Charge
from simulator.clock import Clock
from simulator.core import StationCore
from simulator.dialect import Dialect
from simulator.frames import Payload
from simulator.identity import Identity
from simulator.ledger import Ledger, TransactionRecord
from simulator.outcome import OFFLINE, Outcome, Unanswered
from simulator.v2 import V21, V201
from simulator.v16 import V16

Version = Literal["1.6", "2.0.1", "2.1"]
DIALECTS: dict[str, Dialect] = {"1.6": V16(), "2.0.1": V201(), "2.1": V21()}


def new_session() -> aiohttp.ClientSession:
    """Return an HTTP session fit for thousands of stations: no limit, no cookies."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar())


class Station(StationCore):
    """One charging station, to be used as `async with Station(...) as station` or by start and close.

    `url` is the address without the station's id. `password` makes it use security profile 1. `speed`
    lets its clock run faster than the wall, `link_speed` its retries, back-off and timeouts; `starts_at`
    is what its clock shows first. `settings` overrides fields of `variables.Settings` (for instance
    `message_attempts`, `message_retry_s`, `message_timeout_s`, `backoff_minimum_s`). `seed` makes all
    that is random repeat itself, transaction ids included. `session` returns an HTTP session to share with
    other stations; without it the station has its own. `quirks` names entries of `quirks.QUIRKS`.
    """

    def __init__(
        self,
        *,
        url: str,
        station_id: str,
        version: Version = "1.6",
        password: str | bytes | None = None,
        connectors: int = 1,
        meter_interval: int = 60,
        power_w: int = 11_000,
        speed: float = 1.0,
        link_speed: float = 1.0,
        starts_at: datetime | None = None,
        clock: Clock | None = None,
        seed: int | str | None = None,
        quirks: Iterable[str] = (),
        settings: Mapping[str, Any] | None = None,
        identity: Identity | None = None,
        ledger: Ledger | None = None,
        session: Callable[[], aiohttp.ClientSession] | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._session: aiohttp.ClientSession | None = None
        self.power_w = power_w
        super().__init__(
            url=url,
            station_id=station_id,
            dialect=DIALECTS[version],
            session=session or self._http,
            password=password,
            ssl_context=ssl_context,
            connectors=connectors,
            settings={"meter_interval_s": meter_interval, **(settings or {})},
            clock=clock or Clock(speed=speed, link_speed=link_speed, start=starts_at),
            rng=Random() if seed is None else Random(f"{seed}/{station_id}"),  # noqa: S311 - no secrets
            quirks=quirks,
            identity=identity or Identity(serial=station_id[:25]),
            ledger=ledger or Ledger(),
        )

    def _http(self) -> aiohttp.ClientSession:
        """Return the station's own session, made at the first dial."""
        if self._session is None:
            self._session = new_session()
        return self._session

    async def start(self, *, wait: bool = True) -> None:
        """Power up, and wait until the central system has accepted the station."""
        self.power_up()
        if wait:
            await self.wait_ready()

    async def close(self) -> None:
        """End everything. Charges that run are left as they are, as when a station vanishes."""
        await super().close()
        if self._session is not None:
            await self._session.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def plug_in_and_charge(
        self,
        *,
        id_token: str,
        connector: int = 1,
        power_w: int | None = None,
        lasts: timedelta | None = None,
        authorize: bool = True,
    ) -> Charge:
        """Plug in a vehicle, show a token, and charge until `stop_charge`, or for `lasts`.

        Returns once the start was tried, at once while offline. Raises ChargeRefused when the token is
        not accepted, ConnectorUnavailable when the connector is not free.
        """
        return await charging.begin(
            self,
            id_token=id_token,
            connector=connector,
            power_w=power_w or self.power_w,
            lasts=lasts,
            authorize=authorize,
        )

    async def stop_charge(self, *, reason: str = "Local", connector: int | None = None) -> None:
        """Stop the charge of a connector, or all; returns once the stops were tried, at once offline."""
        for place in actions.places(self, connector):
            if place.charge is not None:
                await charging.end(self, place.charge, reason=reason)

    async def emergency_stop(self) -> None:
        """Press the emergency button: all charges stop."""
        await self.stop_charge(reason="EmergencyStop")

    @property
    def charges(self) -> list[Charge]:
        """The charges that run now."""
        return actions.running_charges(self)

    @property
    def transactions(self) -> list[TransactionRecord]:
        """This station's transactions, as the ledger has them."""
        return [t for t in self.ledger.transactions if t.station_id == self.station_id]

    @property
    def queued(self) -> int:
        """How many transaction messages wait to be delivered."""
        return len(self.sender.queue)

    async def drained(self) -> None:
        """Wait until no transaction message waits any more."""
        await self.sender.queue.empty.wait()

    async def call(self, action: str, payload: Payload) -> Outcome:
        """Send any call once, as an ordinary message, and return what became of it."""
        call = self.sender.say(message(action, payload))
        await call.tried.wait()
        return call.outcome or Unanswered(OFFLINE)
