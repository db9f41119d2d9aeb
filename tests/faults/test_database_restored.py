"""F41: the database is restored to an earlier moment, while the broker and the stations know what came after it.

What was taken since and acknowledged is nowhere else any more (docs/operations.md, Backup). What stations say from then
on is put together by their own ids and contents, and what fits nothing is shown, not dropped.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest

from simulator import Ledger, Station
from simulator.ledger import Class, TransactionRecord
from simulator.outcome import Answered
from simulator.station import Version, new_session
from tests.e2e.stack import Service, Stack
from tests.faults.databases import asking, drained, set_aside
from tests.faults.fleets import FAST, transaction_messages, until
from tests.faults.ground import Ground
from tests.figures import Figure

VERSIONS: tuple[Version, ...] = ("1.6", "2.0.1", "2.1")
PATIENT = FAST | {"message_attempts": 100}
LISTS = (
    "/transactions",
    "/transactions/unmatched-reports",
    "/charging-stations",
    "/events",
    "/statistics/stations",
    "/statistics/days",
)


class When(IntEnum):
    """Spans of the story in which charges begin and end."""

    KEPT = 0
    """Before the backup."""
    LOST = 1
    """After it: taken and acknowledged, and gone with the restore."""
    WAITING = 2
    """While management is away: kept by the broker, or not answered."""
    AFTER = 3
    """After the restore."""


Story = tuple[When, When]
STORIES: tuple[Story, ...] = tuple((begin, end) for begin in When for end in When if begin <= end)
WHOLE = "whole"
OPEN = "open"
NOWHERE = "nowhere"
UNMATCHED = "an unmatched report"
GAP = "flagged sequence_gap"
NO_START = "flagged start_missing"
EXPECTED: dict[Story, tuple[str, str]] = dict.fromkeys(STORIES, (WHOLE, WHOLE)) | {
    (When.KEPT, When.LOST): (OPEN, OPEN),
    (When.KEPT, When.WAITING): (WHOLE, GAP),
    (When.KEPT, When.AFTER): (WHOLE, GAP),
    (When.LOST, When.LOST): (NOWHERE, NOWHERE),
    (When.LOST, When.WAITING): (UNMATCHED, NO_START),
    (When.LOST, When.AFTER): (UNMATCHED, NO_START),
}
"""What of a charge is shown in the end: of OCPP 1.6, where only start and stop are told, and of 2.x."""


class Cast:
    """A station for each version and story."""

    def __init__(self, url: str, ledger: Ledger, session: Any) -> None:
        self.ledger = ledger
        self._acts: list[asyncio.Task[None]] = []
        self.by_story: dict[Story, list[Station]] = {
            story: [
                Station(
                    url=url,
                    station_id=f"{version}-{story[0].name}-{story[1].name}",
                    version=version,
                    meter_interval=8,
                    speed=8,
                    settings=PATIENT,
                    ledger=ledger,
                    session=session,
                    seed=1,
                )
                for version in VERSIONS
            ]
            for story in STORIES
        }
        self.all = [station for stations in self.by_story.values() for station in stations]

    async def play(self, now: When) -> None:
        """Begin and end what begins and ends now, with some charging between.

        Who is not answered goes on trying, until all is `delivered`.
        """
        self._acts = [
            asyncio.create_task(self._act(station, begins=story[0] == now, ends=story[1] == now))
            for story, stations in self.by_story.items()
            for station in stations
            if now in story
        ]
        await asyncio.wait(self._acts, timeout=8)

    async def _act(self, station: Station, *, begins: bool, ends: bool) -> None:
        if begins:
            await station.plug_in_and_charge(id_token="TAG1", authorize=False)
        record = station.transactions[0]
        taken = len(record.samples)
        await until(lambda: len(record.samples) > taken + 1, "meter samples", within_s=30)
        if ends:
            await station.stop_charge()

    async def delivered(self) -> None:
        """Wait until everything is said and answered."""
        async with asyncio.timeout(60):
            await asyncio.gather(*self._acts)
            await asyncio.gather(*(each.drained() for each in self.all))


@asynccontextmanager
async def cast(url: str) -> AsyncIterator[Cast]:
    async with AsyncExitStack() as closing:
        session = await closing.enter_async_context(new_session())
        made = Cast(url, Ledger(), lambda: session)
        for station in made.all:
            await closing.enter_async_context(station)
        yield made


async def copied(ground: Ground, source: Path, target: Path) -> None:
    """Copy the data of the database, which stands still for it."""
    await ground.database.stop()
    await asyncio.to_thread(shutil.rmtree, target, ignore_errors=True)
    process = await asyncio.create_subprocess_exec("cp", "-a", str(source), str(target))
    assert await process.wait() == 0
    await ground.database.start()


async def start(station: Station, number: int) -> int:
    """Say a start in the same words each time; returns the number that the station was given."""
    payload = {"connectorId": 1, "idTag": "AGAIN", "meterStart": number, "timestamp": "2026-01-01T00:00:00Z"}
    outcome = await station.call("StartTransaction", payload)
    assert isinstance(outcome, Answered), outcome
    return int(outcome.payload["transactionId"])


async def shown(strum: Stack, record: TransactionRecord) -> str:
    """What the API tells of a charge."""
    all_of_it = await strum.pages("/transactions", station_id=record.station_id)
    found = [each for each in all_of_it if each["transaction_ref"] == str(record.transaction_id)]
    reports = await strum.pages("/transactions/unmatched-reports", station_id=record.station_id)
    if not found:
        apart = [(each["number"], each["meter_stop_wh"]) for each in reports]
        return UNMATCHED if apart == [(record.transaction_id, record.meter_stop_wh)] else NOWHERE
    assert len(found) == 1, found
    assert not reports, reports
    if found[0]["ended_at"] is None:
        return OPEN
    assert found[0]["meter_stop_wh"] == record.meter_stop_wh, found
    for flag, name in (("start_missing", NO_START), ("sequence_gap", GAP)):
        if flag in found[0]["flags"]:
            assert flag == "start_missing" or found[0]["energy_wh"] == record.energy_wh, found
            return name
    assert found[0]["energy_wh"] == record.energy_wh, found
    return WHOLE


async def rebuilt(strum: Stack) -> tuple[int, int]:
    """Count anew; sessions and energy, once they agree with the transactions that are over."""
    status, _ = await strum.api("POST", "/statistics/rebuild")
    assert status == 202
    over = [each for each in await strum.pages("/transactions") if each["ended_at"] is not None]
    expected = len(over), sum(each["energy_wh"] or 0 for each in over)
    await strum.eventually(
        "/statistics/totals", lambda totals: (totals["sessions"], totals["energy_wh"]) == expected, within_s=60
    )
    return expected


async def play_on(prepared: Ground, stations: Cast, again: Station) -> None:
    """What follows the restore; the API answers all the while."""
    first = await start(again, 2)
    async with asking(prepared) as asked:
        await stations.play(When.AFTER)
        await stations.delivered()
        assert await start(again, 2) == first, "a start that is repeated got another number"
        await start(again, 1)
        await drained(prepared, within_s=30)
        for path in LISTS:
            await prepared.strum.pages(path)
    assert set(asked.statuses) == {200}, asked


async def what_is_left_open(strum: Stack, stations: Cast) -> list[list[str]]:
    """The flags of the charges whose ends were lost, once each station has charged again."""
    chosen = stations.by_story[When.KEPT, When.LOST]
    await asyncio.gather(*(each.plug_in_and_charge(id_token="TAG2") for each in chosen))
    await asyncio.gather(*(each.stop_charge() for each in chosen))
    await stations.delivered()
    for each in chosen:
        await strum.eventually("/transactions", _one_is_over, station_id=each.station_id)
    ids = {each.station_id for each in chosen}
    return [each["flags"] for each in await strum.pages("/transactions", open=True) if each["station_id"] in ids]


async def known_again(strum: Stack, edge: Service, station_id: str) -> None:
    """A station that the restored database does not know is known once it has reconnected."""
    await edge.stop()
    await edge.start()
    await strum.eventually(f"/charging-stations/{station_id}", lambda station: station["connected"], within_s=30)


def _one_is_over(page: dict[str, Any]) -> bool:
    return sorted(each["ended_at"] is None for each in page["items"]) == [False, True]


@pytest.mark.long
@pytest.mark.timeout(400)
async def test_after_a_restore_what_stations_say_is_put_together_and_what_fits_nothing_is_shown(
    prepared: Ground, figure: Figure, tmp_path: Path
) -> None:
    strum, data, backup = prepared.strum, prepared.database.directory / "data", tmp_path / "backup"
    management = await strum.management().start()
    edge = await strum.communication().start()
    await strum.sign_in()
    async with (
        cast(strum.ocpp_url) as stations,
        Station(url=strum.ocpp_url, station_id="AGAIN", settings=PATIENT) as again,
        AsyncExitStack() as later,
    ):
        await stations.play(When.KEPT)
        await stations.delivered()
        await drained(prepared, within_s=30)
        await copied(prepared, data, backup)
        await management.ready()
        await stations.play(When.LOST)
        await start(again, 1)
        new = await later.enter_async_context(Station(url=strum.ocpp_url, station_id="NEW", settings=PATIENT))
        await stations.delivered()
        await drained(prepared, within_s=30)
        await management.stop()
        await stations.play(When.WAITING)
        await copied(prepared, backup, data)
        await management.start()
        await stations.delivered()
        await play_on(prepared, stations, again)
        await start(new, 3)
        seen = {
            (story, each.version): await shown(strum, each)
            for story, of_it in stations.by_story.items()
            for each in (station.transactions[0] for station in of_it)
        }
        assert seen == {key: EXPECTED[key[0]][key[1] != "1.6"] for key in seen}
        left = await what_is_left_open(strum, stations)
        assert [flags.count("abandoned") for flags in left] == [1] * len(VERSIONS)
        await known_again(strum, edge, "NEW")
    for what, count in Counter(seen.values()).items():
        figure("F41", f"of {len(seen)} charges: {what}", count)
    sessions, _ = await rebuilt(strum)
    figure("F41", "sessions counted anew, as many as transactions that are over", sessions)
    assert await set_aside(prepared) == []
    assert transaction_messages(stations.ledger, Class.REFUSED) == 0
    assert stations.ledger.counts["discarded"] == 0
