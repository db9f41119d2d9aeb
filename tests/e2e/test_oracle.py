"""The oracle of the crash tests sees what it is there to see: a harness that cannot fail proves nothing."""

import asyncpg

from simulator import Ledger, Station
from tests.e2e.oracle import Findings, compare
from tests.e2e.stack import Stack

TOKEN = "ORACLE"


async def _charge(strum: Stack, ledger: Ledger) -> None:
    await strum.add_id_token(TOKEN)
    for number, version in enumerate(("1.6", "2.0.1")):
        station = Station(
            url=strum.ocpp_url,
            station_id=f"ORACLE-{number}",
            version=version,  # type: ignore[arg-type]  # one of the versions
            speed=600,
            meter_interval=60,
            ledger=ledger,
        )
        async with station:
            charge = await station.plug_in_and_charge(id_token=TOKEN)
            while len(charge.record.samples) < 3:
                await strum.get("/charging-stations")
            await station.stop_charge()
            await station.drained()
    await strum.eventually("/transactions", lambda page: len(page["items"]) == 2, open=False)


async def _after(strum: Stack, ledger: Ledger, tampering: str) -> Findings:
    connection = await asyncpg.connect(strum.environment["STRUM_DATABASE_URL"].replace("+asyncpg", ""))
    try:
        await connection.execute(tampering)
    finally:
        await connection.close()
    return await compare(ledger, strum)


async def test_the_oracle_sees_what_is_missing_wrong_or_unexpected(strum: Stack) -> None:
    ledger = Ledger()
    await _charge(strum, ledger)
    untouched = await compare(ledger, strum)
    assert untouched.clean, untouched
    assert untouched.checked["stops"] == 2

    less = await _after(
        strum, ledger, "UPDATE transactions.transactions SET energy_wh = energy_wh - 1 WHERE station_id = 'ORACLE-0'"
    )
    assert len(less.wrong) == 1

    sampleless = await _after(strum, ledger, "DELETE FROM transactions.meter_values WHERE station_id = 'ORACLE-1'")
    assert any("sample" in finding for finding in sampleless.lost)

    renamed = await _after(
        strum, ledger, "UPDATE transactions.transactions SET ref = 'another' WHERE station_id = 'ORACLE-1'"
    )
    assert any("ORACLE-1" in finding for finding in renamed.lost)
    assert any("another" in finding for finding in renamed.unexpected)
