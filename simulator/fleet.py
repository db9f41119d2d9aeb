"""Many stations that charge by themselves: for demos and for load."""

import asyncio
import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random
from types import TracebackType
from typing import Any, Self

import aiohttp

from simulator.charging import ChargeRefused, ConnectorUnavailable
from simulator.clock import Clock
from simulator.ledger import Ledger
from simulator.station import Station, Version, new_session
from simulator.summary import Summary, summarise
from simulator.tasks import Tasks

ID_TOKENS = tuple(f"TAG{number:05}" for number in range(1, 101))
POWERS_W = (3_700, 7_400, 11_000, 22_000)
DIALS_PER_S = 250
CLOSING_S = 10.0


class Fleet:
    """Stations `SIM-0001`, `SIM-0002`, … that charge now and then; `async with` connects and ends them.

    `rate` is how many charges a station begins per hour of its own clock, on average and at random; each
    lasts a random time within `charge_minutes`. The first begins within `first_within_s` (default: one
    mean gap). Only the first `driven` stations do so by themselves (default: all), the others when told.
    `version` is one, or several dealt out in turn. `password` is common, or a function of the station's
    id. `speed` and `starts_at` are those of the common clock. What is random comes from `seed`, and
    repeats itself with it, transaction ids included; without one every run differs.
    """

    def __init__(
        self,
        *,
        url: str,
        stations: int = 1,
        version: Version | Sequence[Version] = "1.6",
        rate: float = 1.0,
        charge_minutes: tuple[float, float] = (10.0, 60.0),
        first_within_s: float | None = None,
        driven: int | None = None,
        seed: int | None = None,
        password: str | Callable[[str], str] | None = None,
        quirks: Iterable[str] = (),
        connectors: int = 1,
        meter_interval: int = 60,
        speed: float = 1.0,
        starts_at: datetime | None = None,
        prefix: str = "SIM-",
        id_tokens: Sequence[str] = ID_TOKENS,
        settings: Mapping[str, Any] | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self.ledger = ledger or Ledger(keep=False)
        self.refusals: Counter[str] = Counter()
        self.clock = Clock(speed=speed, start=starts_at)
        self._rng = Random() if seed is None else Random(seed)  # noqa: S311 - no secrets
        self._gap_s = 3600 / rate if rate > 0 else None
        self._first_within_s = first_within_s
        self._driven = driven
        self._charge_minutes = charge_minutes
        self._id_tokens = id_tokens
        self._session: aiohttp.ClientSession | None = None
        self._tasks = Tasks("fleet")
        self._elapsed_s = 0.0
        versions: Sequence[Version] = (version,) if isinstance(version, str) else version
        options: dict[str, Any] = {
            "url": url,
            "quirks": tuple(quirks),
            "connectors": connectors,
            "meter_interval": meter_interval,
            "settings": settings,
            "clock": self.clock,
            "seed": seed,
            "ledger": self.ledger,
        }
        ids = [f"{prefix}{number:04}" for number in range(1, stations + 1)]
        self.stations = [
            Station(
                station_id=station_id,
                version=versions[index % len(versions)],
                password=password(station_id) if callable(password) else password,
                session=self._http,
                **options,
            )
            for index, station_id in enumerate(ids)
        ]

    def _http(self) -> aiohttp.ClientSession:
        """Return the session that all stations share."""
        if self._session is None:
            self._session = new_session()
        return self._session

    async def __aenter__(self) -> Self:
        self._tasks.spawn(self._power_up())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _power_up(self) -> None:
        """Start the stations at a pace that a central system can follow."""
        for station in self.stations:
            await station.start(wait=False)
            await asyncio.sleep(1 / DIALS_PER_S)

    async def run(self, duration_s: float | None = None) -> None:
        """Let the stations charge for so many real seconds, or until cancelled."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(duration_s):
                await self._drive()
        except TimeoutError:
            return
        finally:
            self._elapsed_s += loop.time() - began

    async def _drive(self) -> None:
        """Begin charges when they are due, for ever."""
        if self._gap_s is None:
            await asyncio.Event().wait()
            return
        within = self._gap_s if self._first_within_s is None else self._first_within_s
        due = [(self._after(self._rng.uniform(0, within)), n) for n in range(len(self.stations[: self._driven]))]
        heapq.heapify(due)
        while due:
            at, number = due[0]
            await self.clock.sleep_until(at)
            heapq.heapreplace(due, (at + self._seconds(self._rng.expovariate(1 / self._gap_s)), number))
            self._tasks.spawn(self._charge(self.stations[number]))

    def _after(self, seconds: float) -> datetime:
        """Return the time so many seconds from now, by the stations' clock."""
        return self.clock.now() + self._seconds(seconds)

    @staticmethod
    def _seconds(seconds: float) -> timedelta:
        """Return a span, at least a millisecond, so that the clock moves on."""
        return timedelta(seconds=max(seconds, 0.001))

    async def _charge(self, station: Station) -> None:
        """Let one vehicle come, if there is room and the station has ever been accepted."""
        free = [place.number for place in station.connectors.values() if place.free]
        if not free or not station.registration.accepted:
            self.refusals["no free connector" if not free else "not registered"] += 1
            return
        try:
            await station.plug_in_and_charge(
                id_token=self._rng.choice(self._id_tokens),
                connector=self._rng.choice(free),
                power_w=self._rng.choice(POWERS_W),
                lasts=timedelta(minutes=self._rng.uniform(*self._charge_minutes)),
            )
        except ConnectorUnavailable:
            self.refusals["no free connector"] += 1
        except ChargeRefused as refusal:
            self.refusals[refusal.status] += 1

    async def stop_charges(self) -> None:
        """End all charges, and deliver what is queued where there is a link."""
        charging = [station for station in self.stations if station.charges or (station.ready and station.queued)]
        await asyncio.gather(*(station.stop_charge() for station in charging))
        await asyncio.gather(*(station.drained() for station in charging if station.ready))

    async def close(self) -> None:
        """End charges in an orderly way, for ten seconds at most, then everything."""
        await self._tasks.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_S):
                await self.stop_charges()
        await asyncio.gather(*(station.close() for station in self.stations))
        if self._session is not None:
            await self._session.close()

    def summary(self) -> Summary:
        """Return the figures so far; also good after the end."""
        return summarise(self.stations, self.ledger, self.refusals, elapsed_s=self._elapsed_s)
