"""A module in a process of its own gives the answers that it gives beside the others."""

from typing import Any

from modules import catalogue
from simulator import Station
from tests.e2e.stack import Stack
from tests.services.ports import free_port

OTHERS = ",".join(name for name in catalogue.NAMES if name != "statistics")
PATHS = ("/statistics/stations", "/statistics/id-tokens", "/statistics/days", "/statistics/totals")


async def charge(strum: Stack, station_id: str, id_token: str) -> None:
    async with Station(url=strum.ocpp_url, station_id=station_id, version="1.6", speed=600, seed=3) as charger:
        await charger.plug_in_and_charge(id_token=id_token)
        await charger.stop_charge(reason="Local")
        await charger.drained()


async def answers(strum: Stack, port: int) -> dict[str, Any]:
    """What the statistics module says on this port, once it has heard of both charges."""
    await strum.eventually("/statistics/totals", lambda body: body["sessions"] == 2, port=port)
    return {path: (await strum.api("GET", path, port=port))[1] for path in PATHS}


async def test_statistics_in_a_process_of_its_own_answer_the_same(prepared: Stack) -> None:
    prepared.environment["STRUM_AUTHORIZATION__ACCEPT_UNKNOWN_TOKENS"] = "true"
    apart = free_port()
    others = await prepared.management("--modules", OTHERS, name="others").start()
    statistics = await prepared.management("--modules", "statistics", port=apart, name="statistics").start()
    await prepared.communication().start()
    await prepared.sign_in()
    await charge(prepared, "APART-1", "TOKEN-A")
    await charge(prepared, "APART-2", "TOKEN-B")
    told_apart = await answers(prepared, apart)
    assert (await prepared.api("GET", "/statistics/totals"))[0] == 404
    assert (await prepared.api("GET", "/transactions", port=apart))[0] == 404

    assert await statistics.stop() == 0
    assert await others.stop() == 0
    await prepared.management(name="together").start()
    assert await answers(prepared, prepared.api_port) == told_apart
