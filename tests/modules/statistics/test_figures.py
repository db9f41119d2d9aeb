import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete

from modules.statistics import tables
from shared_contracts.diagnostics import ReplayEvents, ReplayStarted
from shared_contracts.transactions import TransactionEnded, TransactionState
from shared_contracts.users import Role
from tests.harness import Running, running

_Store = Callable[[ReplayEvents], ReplayStarted]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ended(transaction_id: str = "t1", **fields: Any) -> TransactionEnded:
    values = {
        "transaction_id": transaction_id,
        "station_id": "CS1",
        "transaction_ref": "1",
        "id_token": "Ab1",
        "state": TransactionState.FINISHED,
        "reason": "Local",
        "started_at": NOON,
        "ended_at": NOON + timedelta(hours=1),
        "energy_wh": 7000,
    }
    return TransactionEnded(**values | fields)


FOUR = [
    ended("t1"),
    ended("t2", station_id="CS2", id_token="AB1", energy_wh=500),
    ended("t3", id_token=None, energy_wh=None, state=TransactionState.FAILED, flags=("suspect",)),
    ended("t4", started_at=NOON + timedelta(days=1), ended_at=NOON + timedelta(days=1, minutes=1)),
]


async def _figures(strum: Running) -> dict[str, Any]:
    paths = ("totals", "stations", "id-tokens", "days")
    return {path: (await strum.api(Role.VIEWER).get(f"/statistics/{path}"))[1] for path in paths}


def _sums(sessions: int, energy_wh: int, duration_s: int, **fields: Any) -> dict[str, Any]:
    sums = {"sessions": sessions, "failed": 0, "suspect": 0, "energy_wh": energy_wh, "duration_s": duration_s}
    return sums | fields


async def test_ended_transactions_are_counted_by_station_token_and_day(database: str) -> None:
    async with running(database, "statistics") as strum:
        await strum.publish(*FOUR)
        figures = await _figures(strum)

        assert figures["totals"] == _sums(4, 14500, 10860, failed=1, suspect=1)
        assert figures["stations"]["items"] == [
            _sums(3, 14000, 7260, failed=1, suspect=1, of="CS1"),
            _sums(1, 500, 3600, of="CS2"),
        ]
        assert figures["id-tokens"]["items"] == [
            _sums(1, 0, 3600, failed=1, suspect=1, of=""),
            _sums(3, 14500, 7260, of="ab1"),
        ]
        assert figures["days"]["items"] == [
            _sums(3, 7500, 10800, failed=1, suspect=1, of="2026-03-01"),
            _sums(1, 7000, 60, of="2026-03-02"),
        ]


async def test_nothing_is_counted_twice(database: str) -> None:
    async with running(database, "statistics") as strum:
        await strum.publish(*FOUR)
        before = await _figures(strum)
        await strum.publish(*FOUR, *FOUR)

        assert await _figures(strum) == before


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("at_once", [True, False])
async def test_a_correction_replaces_what_it_corrects_whatever_comes_first(
    database: str, order: tuple[int, ...], at_once: bool
) -> None:
    told = [ended(revision=number, energy_wh=number * 10, station_id=f"CS{number}") for number in (1, 2, 3)]
    async with running(database, "statistics") as strum:
        if at_once:
            await strum.publish(*(told[index] for index in order))
        else:
            for index in order:
                await strum.publish(told[index])

        figures = await _figures(strum)
        assert figures["stations"]["items"] == [_sums(1, 30, 3600, of="CS3")]


async def test_absurd_energy_does_not_break_the_sums(database: str) -> None:
    async with running(database, "statistics") as strum:
        await strum.publish(*(ended(f"t{number}", energy_wh=2**62) for number in range(5)))

        assert (await _figures(strum))["totals"]["energy_wh"] == 5 * 2**62


async def test_figures_are_filtered(database: str) -> None:
    async with running(database, "statistics") as strum:
        await strum.publish(*FOUR)

        async def sessions(**query: str) -> int:
            _, totals = await strum.api().get("/statistics/totals", **query)
            return int(totals["sessions"])

        assert await sessions(since="2026-03-02") == 1
        assert await sessions(until="2026-03-02") == 3
        assert await sessions(station_id="CS2") == 1
        assert await sessions(id_token="aB1", station_id="CS1") == 2
        assert await sessions(id_token="") == 1
        assert await sessions(since="2027-01-01") == 0
        assert (await strum.api().get("/statistics/totals", since="yesterday"))[0] == 422


@pytest.mark.parametrize("path", ["stations", "id-tokens", "days"])
async def test_pages_hang_together(database: str, path: str) -> None:
    async with running(database, "statistics") as strum:
        for number in range(5):
            at = NOON + timedelta(days=number)
            await strum.publish(ended(f"t{number}", station_id=f"CS{number}", id_token=f"T{number}", started_at=at))
        _, first = await strum.api().get(f"/statistics/{path}", limit=3)
        _, rest = await strum.api().get(f"/statistics/{path}", limit=3, cursor=first["next_cursor"])

        assert len({item["of"] for item in first["items"] + rest["items"]}) == 5
        assert rest["next_cursor"] is None


async def test_the_cursor_of_another_list_is_refused(database: str) -> None:
    async with running(database, "statistics") as strum:
        await strum.publish(ended("t1"), ended("t2", station_id="CS2"))
        _, page = await strum.api().get("/statistics/stations", limit=1)
        status, problem = await strum.api().get("/statistics/days", cursor=page["next_cursor"])

        assert (status, problem["errors"][0]["field"]) == (422, "cursor")


async def test_figures_are_downloaded_as_csv(database: str) -> None:
    async with running(database, "statistics") as strum:
        await strum.publish(ended(id_token="=cmd()"))
        api = strum.api()
        status, text = await api.get("/statistics/id-tokens.csv")

        assert status == 200
        head = '"id_token","sessions","failed","suspect","energy_wh","duration_s"'
        assert text == f"""{head}\r\n"'=cmd()",1,0,0,7000,3600\r\n"""
        assert api.response is not None
        assert api.response.headers["Content-Type"].startswith("text/csv")
        assert 'filename="strum-id_token.csv"' in api.response.headers["Content-Disposition"]
        assert (await api.get("/statistics/stations.csv", since="2027-01-01"))[1].count("\r\n") == 1


def _store(seed: int, wanted: Callable[[], Running], kept: Sequence[TransactionEnded] = FOUR) -> _Store:
    """An event store that sends what it has kept again, with a correction, out of order and partly twice."""
    replays: list[asyncio.Task[None]] = []

    def replay(request: ReplayEvents) -> ReplayStarted:
        assert (request.to_module, request.keys) == ("statistics", (TransactionEnded.key,))
        events = [*kept, kept[0].model_copy(update={"energy_wh": 1, "revision": 0}), *kept[1:3]]
        random.Random(seed).shuffle(events)
        replays.append(asyncio.create_task(wanted().publish(*events, only="statistics")))
        return ReplayStarted(events=len(events))

    return replay


async def _reaches(strum: Running, **wanted: dict[str, Any]) -> None:
    async with asyncio.timeout(5):
        while not wanted.items() <= (await _figures(strum)).items():
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("seed", range(3))
async def test_a_rebuild_mends_what_is_wrong_or_missing(database: str, seed: int) -> None:
    here: list[Running] = []
    async with running(database, "statistics", fakes={ReplayEvents: _store(seed, lambda: here[0])}) as strum:
        here.append(strum)
        await strum.publish(*FOUR)
        before = await _figures(strum)
        await strum.publish(FOUR[0].model_copy(update={"energy_wh": 1, "station_id": "CS9"}))
        async with strum.management.hosted[0].work() as work:
            await work.execute(delete(tables.sessions).where(tables.sessions.c.transaction_id == "t2"))
        status, answer = await strum.api(Role.OPERATOR).post("/statistics/rebuild")

        assert (status, answer) == (202, {"events": 7})
        await _reaches(strum, **before)


async def test_a_rebuild_leaves_sessions_of_which_the_event_store_has_no_event(database: str) -> None:
    """Their weeks were dropped, or it is behind and has yet to store them."""
    here: list[Running] = []
    store = _store(0, lambda: here[0], kept=FOUR[1:3])
    async with running(database, "statistics", fakes={ReplayEvents: store}) as strum:
        here.append(strum)
        await strum.publish(FOUR[0], FOUR[3])
        assert (await strum.api(Role.OPERATOR).post("/statistics/rebuild"))[0] == 202
        await _reaches(strum, totals=_sums(4, 14500, 10860, failed=1, suspect=1))


async def test_a_rebuild_without_an_event_store_says_so_and_leaves_the_figures(database: str) -> None:
    async with running(database, "statistics") as strum:
        await strum.publish(*FOUR)
        before = await _figures(strum)

        assert (await strum.api().post("/statistics/rebuild"))[0] == 503
        assert await _figures(strum) == before


async def test_only_operators_rebuild_and_drivers_see_nothing(database: str) -> None:
    async with running(database, "statistics") as strum:
        assert (await strum.api(Role.VIEWER).post("/statistics/rebuild"))[0] == 403
        assert (await strum.api(Role.DRIVER).get("/statistics/totals"))[0] == 403
