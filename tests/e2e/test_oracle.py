"""The oracle of the crash tests sees what it is there to see: a harness that cannot fail proves nothing."""

from typing import Any

import asyncpg
import pytest

from shared_contracts.stations import MetersSampled
from shared_contracts.transactions import TransactionEnded, TransactionReported, TransactionStarted
from simulator import Ledger, Station
from tests.e2e.oracle import Findings, compare, out_of_order
from tests.e2e.stack import Stack

TOKEN = "ORACLE"
STARTED: dict[str, Any] = {"key": TransactionStarted.key, "payload": {}}
ENDED: dict[str, Any] = {"key": TransactionEnded.key, "payload": {}}


def _sampled(minute: int) -> dict[str, Any]:
    at = f"2026-01-01T00:{minute:02}:00Z"
    return {"key": MetersSampled.key, "payload": {"readings": [{"sampled_at": at}]}}


def _reported(number: int) -> dict[str, Any]:
    return {"key": TransactionReported.key, "payload": {"sequence_number": number}}


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
    assert untouched.checked["events"] >= 10
    assert untouched.recovered.total() == 0

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


async def test_the_oracle_sees_what_was_stored_in_another_order(strum: Stack) -> None:
    ledger = Ledger()
    await _charge(strum, ledger)
    turned = 'UPDATE diagnostics.events SET "offset" = -"offset" WHERE station_id = '

    sampled = await _after(strum, ledger, f"{turned}'ORACLE-0' AND key = '{MetersSampled.key}'")
    assert len(sampled.out_of_order) >= 2
    assert not sampled.clean
    assert all("ORACLE-0" in finding for finding in sampled.out_of_order)

    reported = await _after(strum, ledger, f"{turned}'ORACLE-1' AND key = '{TransactionReported.key}'")
    assert any("ORACLE-1" in finding for finding in reported.out_of_order)


async def test_the_oracle_counts_what_is_stored_though_the_station_was_never_answered(strum: Stack) -> None:
    ledger = Ledger()
    await _charge(strum, ledger)
    numbered, named = ledger.transactions
    named.start_acknowledged = named.stop_acknowledged = named.samples[0].acknowledged = False
    unanswered = await compare(ledger, strum)
    assert unanswered.recovered == {"starts": 1, "stops": 1, "samples": 1}

    numbered.csms_transaction_id, numbered.start_acknowledged = None, False
    unnumbered = await compare(ledger, strum)
    assert unnumbered.recovered["starts"] == 2
    assert unnumbered.clean, unnumbered


@pytest.mark.parametrize(
    ("events", "late"),
    [
        ([STARTED, _sampled(1), _sampled(2), ENDED], 0),
        ([_sampled(1), STARTED, _sampled(2), ENDED], 0),
        ([STARTED, _sampled(1), _sampled(2), _sampled(1), ENDED, _sampled(2), STARTED, ENDED], 0),
        ([STARTED, _reported(1), _reported(2), _reported(10), ENDED], 0),
        ([STARTED, _sampled(2), _sampled(1), ENDED], 1),
        ([STARTED, _reported(2), _reported(10), _reported(1), _reported(3), ENDED], 1),
        ([STARTED, _sampled(1), ENDED, _sampled(2)], 1),
        ([_reported(1), ENDED, STARTED], 1),
    ],
)
def test_what_was_stored_first_counts_and_a_start_may_come_beside_what_is_said(
    events: list[dict[str, Any]], late: int
) -> None:
    assert len(out_of_order(events)) == late
