"""A station that names another's transaction changes its own records only (T9); one that repeats itself, none (T15)."""

import asyncio
from typing import Any

import pytest

from communication_service.ocpp.versions import Version
from tests.communication_service.phrases import begin, call, end
from tests.faults.whole import Whole, say, whole

pytestmark = pytest.mark.long

AT = "2026-01-01T0{}:00:00Z"


def _readings(version: Version, ref: str, value: str) -> str:
    """Meter values of a transaction."""
    if version is Version.V16:
        reading = {"timestamp": AT.format(1), "sampledValue": [{"value": value}]}
        return call("MeterValues", {"connectorId": 1, "transactionId": int(ref), "meterValue": [reading]}, f"m{value}")
    reading = {"timestamp": AT.format(1), "sampledValue": [{"value": int(value)}]}
    return _event("Updated", 1, ref, meterValue=[reading])


def _event(kind: str, seq: int, ref: str, **more: Any) -> str:
    payload = {
        "eventType": kind,
        "timestamp": AT.format(seq),
        "triggerReason": "Trigger",
        "seqNo": seq,
        "transactionInfo": {"transactionId": ref},
    }
    return call("TransactionEvent", payload | more, f"e{seq}")


def _stop(version: Version, ref: str) -> str:
    if version is Version.V16:
        return end(version, number=int(ref), meter=5000, at=AT.format(2))
    return _event("Ended", 2, ref)


async def _one(w: Whole, station_id: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while not (found := await w.page("/transactions", station_id=station_id)):
            await asyncio.sleep(0.05)
    assert len(found) == 1
    return found[0]


async def _settled(w: Whole, station_id: str, **expected: Any) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            shown = await _one(w, station_id)
            if expected.items() <= shown.items():
                return shown
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("version", Version)
async def test_anothers_transaction_cannot_be_stopped_nor_metered(database: str, version: Version) -> None:
    async with whole(database) as w, w.station(version, "VICTIM") as victim, w.station(version, "THIEF") as thief:
        await say(victim, begin(version, at=AT.format(0)))
        before = await _one(w, "VICTIM")
        ref = before["transaction_ref"]

        for _ in range(2):
            await say(thief, _readings(version, ref, "999999"))
            assert await say(thief, _stop(version, ref)) == {}

        if version is Version.V16:
            (kept,) = await w.page("/transactions/unmatched-reports")
            assert (kept["station_id"], kept["number"], kept["problem"]) == ("THIEF", int(ref), "unknown_number")
            assert await w.page("/transactions", station_id="THIEF") == []
        else:
            mine = await _settled(w, "THIEF", state="finished")
            assert (mine["flags"], mine["id"] != before["id"]) == (["start_missing"], True)
        assert await _one(w, "VICTIM") == before
        assert await w.page(f"/transactions/{before['id']}/meter-values") == []


@pytest.mark.parametrize("version", Version)
async def test_a_session_that_is_replayed_three_times_is_charged_once(database: str, version: Version) -> None:
    async with whole(database) as w:
        session = [begin(version, at=AT.format(0)).replace('"T1"', '"R"')]
        async with w.station(version) as station:
            await say(station, session[0])
            ref = (await _one(w, "CS1"))["transaction_ref"]
            session += [_readings(version, ref, "4000"), _stop(version, ref)]
            for text in session[1:]:
                await say(station, text)
        first = await _settled(w, "CS1", state="finished")
        for _ in range(3):
            async with w.station(version) as again:
                for text in session:
                    await say(again, text)

        charged = await w.page("/transactions", station_id="CS1", state="finished")
        assert charged == [first]
        assert len(await w.page(f"/transactions/{first['id']}/meter-values")) == 1
        assert await w.page("/transactions/unmatched-reports") == []
        totals = (await w.api.get("/statistics/totals"))[1]
        assert (totals["sessions"], totals["energy_wh"]) == (1, first["energy_wh"] or 0)
