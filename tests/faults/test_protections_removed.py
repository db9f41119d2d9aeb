"""The harness can fail: with a protection taken away it notices what the protection is against, with it nothing."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from simulator import Ledger, Station
from simulator.ledger import TransactionRecord
from simulator.outcome import Answered
from simulator.station import Version
from tests.e2e.oracle import compare
from tests.e2e.stack import Service
from tests.faults.crashes import crashed, sabotaged
from tests.faults.fleets import charging, until
from tests.faults.ground import Ground
from tests.faults.proxy import Fault
from tests.faults.verdicts import verdict

STATIONS = 20

pytestmark = pytest.mark.timeout(400)


async def both_started(ground: Ground, *, without: str, in_management: bool, crash_at: str = "") -> Service:
    """Start both services, one of them sabotaged; returns that one."""
    management, edge = ground.strum.management(), ground.strum.communication()
    victim = management if in_management else edge
    with sabotaged(victim, without=without, crash_at=crash_at):
        await management.start()
        await edge.start()
    await ground.strum.sign_in()
    if without:
        assert f"sabotage: without {without}" in victim.log.read_text()
    return victim


@pytest.mark.long
@pytest.mark.parametrize("without", ["confirm", ""])
async def test_an_edge_that_answers_before_the_confirm_loses_messages(prepared: Ground, without: str) -> None:
    edge = await both_started(prepared, without=without, in_management=False)
    async with charging(prepared.strum.ocpp_url, stations=STATIONS, meter_interval=10) as stations:
        await stations.begun(STATIONS)
        prepared.broker_proxy.set(Fault(stopped=True), "up")
        sent = stations.ledger.counts["sent"]
        await until(lambda: stations.ledger.counts["sent"] > sent + STATIONS, "messages sent", within_s=20)
        await edge.kill()
        prepared.broker_proxy.heal()
        await edge.start()
        findings = await verdict(stations, prepared.strum)
    assert bool(findings.lost) == bool(without), findings
    assert findings.clean == (not without), findings


@pytest.mark.long
@pytest.mark.parametrize("without", ["inbox", ""])
async def test_a_module_that_does_not_remember_deliveries_takes_them_twice(prepared: Ground, without: str) -> None:
    """The event store shows it: transactions bear a repeat, and meter samples are shown once."""
    point = "after_commit_before_ack"
    management = await both_started(prepared, without=without, in_management=True, crash_at=f"{point}@diagnostics:10")
    async with charging(prepared.strum.ocpp_url, stations=STATIONS, meter_interval=10) as stations:
        await crashed(management, point)
        with sabotaged(management, without=without):
            await management.start()
        await stations.begun(STATIONS)
        findings = await verdict(stations, prepared.strum)
    assert bool(findings.doubled) == bool(without), findings
    assert findings.clean == (not without), findings


@pytest.mark.long
@pytest.mark.parametrize("without", ["order", ""])
@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_a_module_that_swaps_two_deliveries_takes_a_transaction_out_of_order(
    prepared: Ground, without: str, version: Version
) -> None:
    await both_started(prepared, without=without, in_management=True)
    async with charging(prepared.strum.ocpp_url, stations=4, version=version, meter_interval=10) as stations:
        await stations.begun(4)
        await stations.sampled(12)
        findings = await verdict(stations, prepared.strum)
    assert bool(findings.out_of_order) == bool(without), findings
    assert findings.clean == (not without), findings
    assert findings.checked["events"] > 12


@pytest.mark.long
@pytest.mark.parametrize("without", ["outbox", ""])
async def test_events_that_are_stored_nowhere_die_with_the_process(prepared: Ground, without: str) -> None:
    point = "after_outbox_insert_before_relay"
    management = await both_started(prepared, without=without, in_management=True, crash_at=f"{point}:{STATIONS // 2}")
    async with charging(prepared.strum.ocpp_url, stations=STATIONS, version="1.6") as stations:
        await crashed(management, point)
        await management.start()
        await stations.begun(STATIONS)
        findings = await verdict(stations, prepared.strum)
    assert bool(findings.lost) == bool(without), findings
    assert findings.clean == (not without), findings


@pytest.mark.long
@pytest.mark.parametrize("without", ["idempotent_start", ""])
async def test_a_start_that_is_new_each_time_makes_two_transactions_of_one(prepared: Ground, without: str) -> None:
    point = "before_answer"
    management = await both_started(prepared, without=without, in_management=True, crash_at=f"{point}:3")
    async with charging(prepared.strum.ocpp_url, stations=STATIONS, version="1.6") as stations:
        await crashed(management, point)
        await management.start()
        await stations.begun(STATIONS)
        findings = await verdict(stations, prepared.strum)
    assert bool(findings.unexpected) == bool(without), findings
    assert findings.clean == (not without), findings


@pytest.mark.long
@pytest.mark.parametrize("without", ["ownership", ""])
@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_a_transaction_found_by_its_id_alone_is_ended_by_another_station(
    prepared: Ground, without: str, version: Version
) -> None:
    await both_started(prepared, without=without, in_management=True)
    ledger = Ledger()
    owner = station(prepared, "OWNER", version=version, ledger=ledger, meter_interval=1)
    thief = station(prepared, "THIEF", version=version)
    async with owner, thief:
        await owner.plug_in_and_charge(id_token="TAG1")
        outcome = await thief.call(*end_of(ledger.transactions[0]))
        assert isinstance(outcome, Answered), outcome
        await asyncio.sleep(2.0)  # in which an energy that the other did not see is drawn, and its event taken
        await owner.stop_charge()
        await owner.drained()
    await prepared.strum.eventually("/transactions", lambda page: not page["items"], open=True, station_id="OWNER")
    findings = await compare(ledger, prepared.strum, samples=False)
    assert bool(findings.wrong) == bool(without), findings
    assert not findings.lost


async def test_an_older_connection_that_ends_takes_the_place_of_the_newer(prepared: Ground) -> None:
    edge = await both_started(prepared, without="epoch", in_management=False)
    assert await told_on_its_newer_connection(prepared, "TWICE") == "offline"
    await edge.stop()
    await edge.start()
    assert await told_on_its_newer_connection(prepared, "TWICE") == "accepted"


async def told_on_its_newer_connection(ground: Ground, station_id: str) -> str:
    """Connect a station twice; how a command ends once the older connection has."""
    older, newer = station(ground, station_id), station(ground, station_id)
    async with older, newer:
        await until(lambda: not older.ready, "the older connection closed", within_s=10)
        await asyncio.sleep(0.5)
        path = f"/charging-stations/{station_id}/ocpp/GetConfiguration"
        status, command = await ground.strum.api("POST", path, json={})
    assert status == 201, command
    return str(command["state"])


def station(ground: Ground, station_id: str, **options: Any) -> Station:
    """One that does not dial again."""
    return Station(url=ground.strum.ocpp_url, station_id=station_id, quirks=("no-reconnect",), seed=1, **options)


def end_of(transaction: TransactionRecord) -> tuple[str, dict[str, Any]]:
    """The message with which another station would end this transaction."""
    now = datetime.now(UTC).isoformat()
    number = transaction.transaction_id
    if transaction.version == "1.6":
        return "StopTransaction", {"transactionId": number, "meterStop": 999_999, "timestamp": now}
    return "TransactionEvent", {
        "eventType": "Ended",
        "timestamp": now,
        "triggerReason": "StopAuthorized",
        "seqNo": 99,
        "transactionInfo": {"transactionId": number, "stoppedReason": "Local"},
    }
