"""Stations have clocks of their own: an offline charge keeps its times (F31), a clock that lies is flagged (F33)."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from communication_service.ocpp.versions import Version
from tests.communication_service.phrases import begin, call, end
from tests.faults.whole import Whole, say, whole

pytestmark = pytest.mark.long

REPORTS = ("totals", "stations", "id-tokens", "days", "stations.csv", "id-tokens.csv", "days.csv")
DAY = timedelta(days=1)


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


async def _finished(w: Whole) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while not (found := await w.page("/transactions", state="finished")):
            await asyncio.sleep(0.1)
    (one,) = found
    return one


async def _figures_by_day(w: Whole, sessions: int) -> dict[str, int]:
    async with asyncio.timeout(30):
        while (await w.api.get("/statistics/totals"))[1]["sessions"] < sessions:
            await asyncio.sleep(0.1)
    return {day["of"]: day["sessions"] for day in await w.page("/statistics/days")}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("version", [Version.V16, Version.V201])
async def test_an_offline_transaction_of_three_days_ago_keeps_its_times_and_counts_for_its_day(
    database: str, version: Version
) -> None:
    began = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - 3 * DAY
    ended = began + timedelta(minutes=500)
    if ended.date() != began.date():
        began, ended = began - timedelta(hours=9), ended - timedelta(hours=9)
    async with whole(database) as w, w.station(version) as station:
        await say(station, begin(version, at=_text(began), meter=0, **_offline(version)))
        ref = (await w.page("/transactions"))[0]["transaction_ref"]
        texts = [_sample(version, ref, number, began + timedelta(minutes=number)) for number in range(1, 500)]
        for text in texts:
            await station.send(text)
        assert [(await station.receive(60))[0] for _ in texts] == [3] * len(texts)
        last = end(version, number=int(ref) if version is Version.V16 else 0, at=_text(ended), meter=499_000, seq=500)
        await say(station, last)
        shown = await _finished(w)

        assert datetime.fromisoformat(shown["started_at"]) == began
        assert datetime.fromisoformat(shown["ended_at"]) == ended
        assert (shown["offline"], shown["duration_s"], shown["flags"]) == (True, 500 * 60, [])
        assert await _figures_by_day(w, 1) == {str(began.date()): 1}
        status, page = await w.api.get(f"/transactions/{shown['id']}/meter-values", limit=500)
        assert (status, len(page["items"])) == (200, 499)


def _offline(version: Version) -> dict[str, Any]:
    return {} if version is Version.V16 else {"offline": True}


def _sample(version: Version, ref: str, number: int, at: datetime) -> str:
    if version is Version.V16:
        reading = {"timestamp": _text(at), "sampledValue": [{"value": str(number * 1000)}]}
        return call("MeterValues", {"connectorId": 1, "transactionId": int(ref), "meterValue": [reading]}, f"{number}")
    payload = {
        "eventType": "Updated",
        "timestamp": _text(at),
        "triggerReason": "MeterValuePeriodic",
        "seqNo": number,
        "offline": True,
        "transactionInfo": {"transactionId": ref},
        "meterValue": [{"timestamp": _text(at), "sampledValue": [{"value": number * 1000}]}],
    }
    return call("TransactionEvent", payload, str(number))


@pytest.mark.parametrize("version", [Version.V16, Version.V201])
@pytest.mark.parametrize(
    ("begun_at", "ended_at", "flag"),
    [
        ("1970-01-01T00:00:00Z", "1970-01-01T01:00:00Z", "time_not_credible:1970-01-01T00:00:00Z"),
        ("2036-02-07T06:28:16Z", "2036-02-07T07:28:16Z", "time_not_credible:2036-02-07T06:28:16Z"),
        ("2099-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "time_not_credible:1970-01-01T00:00:00Z"),
        ("2026-01-01T12:00:00Z", "2026-01-01T11:00:00Z", "clock_jump"),
        ("2026-03-29T01:59:00+01:00", "2026-03-29T03:01:00+02:00", None),
        ("2026-10-25T02:59:00+02:00", "2026-10-25T02:01:00+01:00", None),
        ("2026-03-29T02:30:00", "2026-03-29T03:30:00", "time_no_zone:2026-03-29T02:30:00"),
    ],
)
async def test_a_clock_that_lies_is_flagged_and_no_report_fails(
    database: str, version: Version, begun_at: str, ended_at: str, flag: str | None
) -> None:
    async with whole(database) as w, w.station(version) as station:
        await say(station, begin(version, at=begun_at))
        ref = (await w.page("/transactions"))[0]["transaction_ref"]
        await say(station, end(version, number=int(ref) if version is Version.V16 else 0, at=ended_at, seq=1))
        shown = await _finished(w)

        assert (flag in shown["flags"]) if flag else (shown["flags"], shown["duration_s"]) == ([], 120)
        assert shown["duration_s"] >= 0
        assert abs(datetime.fromisoformat(shown["started_at"]) - datetime.now(UTC)) < 400 * DAY
        await _figures_by_day(w, 1)
        for report in REPORTS:
            status, _ = await w.api.get(f"/statistics/{report}")
            assert status == 200, report


@pytest.mark.parametrize("version", [Version.V16, Version.V201])
async def test_a_clock_without_a_zone_is_read_in_the_one_that_an_operator_set(database: str, version: Version) -> None:
    """The hour that comes twice in autumn is its first; what was begun before the change counts as UTC."""
    async with whole(database) as w:
        for _ in range(2):
            async with w.station(version) as station:
                pass  # the pod remembers how the station is admitted
        async with w.station(version) as station:
            status, _ = await w.api.patch("/charging-stations/CS1", {"time_zone": "Europe/Berlin"})
            assert status == 200
            await say(station, begin(version, at="2025-10-25T02:30:00"))
            (before,) = await w.page("/transactions")
        async with w.station(version) as station:
            await say(station, begin(version, at="2025-10-26T02:30:00", **_another(version)))
        after, *_ = await w.page("/transactions")

        assert datetime.fromisoformat(before["started_at"]) == datetime(2025, 10, 25, 2, 30, tzinfo=UTC)
        assert datetime.fromisoformat(after["started_at"]) == datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
        assert after["flags"] == ["time_no_zone:2025-10-26T02:30:00"]


def _another(version: Version) -> dict[str, Any]:
    return {} if version is Version.V16 else {"transactionInfo": {"transactionId": "T2"}}
