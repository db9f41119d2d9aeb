"""F11: junk at the broker, and messages that break their contract: isolated, shown, and replayed over the API."""

import time
from datetime import UTC, datetime
from typing import Any

import aiormq
import pytest
from pamqp.commands import Basic

from modules import catalogue
from shared_contracts.message import Envelope, new_id, pack
from shared_contracts.stations import ConnectorStatus, StatusReported
from shared_contracts.transactions import TransactionReported
from simulator.ledger import Class
from tests.e2e.stack import SHARDS
from tests.faults.databases import depths, set_aside
from tests.faults.fleets import charging, transaction_messages, until
from tests.faults.ground import PREFIX, Ground
from tests.figures import Figure

STATIONS = 20
NOW = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)

JUNK = {
    "bytes": b"\x00\xff\xfe junk \x80",
    "nothing": b"",
    "json": b'{"not": "an envelope"}\n[]',
    "three lines": b"a\nb\nc",
    "deep": b"[" * 100_000 + b"\n{}",
    "nul": pack([Envelope(new_id(), "a\0b", "CS\0", NOW, b"{}")]),
}
BREAKS = (b"{}", b"[]", b"nonsense", b'{"station_id": 5}', b'{"station_id": "CS-1", "sequence_number": "x"}')


@pytest.mark.long
@pytest.mark.timeout(200)
async def test_poison_is_isolated_shown_and_replayed(faulty: Ground, figure: Figure) -> None:
    strum = faulty.strum
    async with charging(strum.ocpp_url, stations=STATIONS) as stations:
        await stations.begun(STATIONS // 4)
        began, before = time.monotonic(), stations.ledger.counts["answered"]
        await _publish(faulty)
        await until(lambda: stations.ledger.counts["answered"] > before, "an answer", within_s=30)
        await _good_event_behind_it(faulty)
        figure("F11", "an event behind the poison was stored after", time.monotonic() - began, "s", at_most=5)
        await stations.begun(STATIONS)
        findings = await stations.settled(strum)
    assert findings.clean, findings
    assert stations.ledger.counts["discarded"] == 0
    assert transaction_messages(stations.ledger, Class.REFUSED) == 0
    assert (await depths(faulty.broker))[f"{PREFIX}.dead"] == 0
    aside = await set_aside(faulty)
    for key in (TransactionReported.key, StatusReported.key):
        assert len([item for item in aside if item["key"] == key]) >= len(BREAKS), key
    assert len([item for item in aside if item["key"] is None]) >= len(JUNK) - 1
    await _correct_and_replay(faulty, next(item for item in aside if item["key"] == TransactionReported.key))


async def _publish(ground: Ground) -> None:
    """Everything to every shard, past our own publisher; some without an id, some with a strange one."""
    connection = await aiormq.connect(ground.broker.url)
    channel = await connection.channel(publisher_confirms=True)
    for shard in range(SHARDS):
        for body in JUNK.values():
            for name in ("transactions", "diagnostics"):
                properties = Basic.Properties(delivery_mode=2, message_id="x" * 250 if shard else None)
                await _send(channel, body, f"to-{name}.s{shard}", properties)
        for key in (TransactionReported.key, StatusReported.key):
            word = key.replace(".", "-")
            for payload in BREAKS:
                body = pack([Envelope(new_id(), key, "CS-1", NOW, payload)])
                await _send(channel, body, f"s{shard}.{word}", Basic.Properties(delivery_mode=2))
    await connection.close()


async def _send(channel: Any, body: bytes, key: str, properties: Basic.Properties) -> None:
    await channel.basic_publish(body, exchange=f"{PREFIX}.events", routing_key=key, properties=properties)


async def _good_event_behind_it(ground: Ground) -> None:
    """A sound event at the end of every shard is in the event store."""
    connection = await aiormq.connect(ground.broker.url)
    channel = await connection.channel(publisher_confirms=True)
    for shard in range(SHARDS):
        event = StatusReported(
            station_id=f"BEHIND-{shard}",
            connector_id=1,
            status=ConnectorStatus.AVAILABLE,
            raw_status="Available",
            reported_at=NOW,
        )
        key = f"s{shard}.{StatusReported.key.replace('.', '-')}"
        await _send(channel, pack([Envelope.of(event)]), key, Basic.Properties(delivery_mode=2, message_id=new_id()))
    await connection.close()
    for shard in range(SHARDS):
        await ground.strum.eventually("/events", lambda page: page["items"], station_id=f"BEHIND-{shard}", within_s=20)


async def _correct_and_replay(ground: Ground, item: dict[str, Any]) -> None:
    strum, place = ground.strum, f"/quarantine/{item['module']}/{item['id']}"
    assert item["module"] == "transactions"
    assert item["module"] in catalogue.NAMES
    payload = {
        "station_id": "CS-1",
        "transaction_ref": "corrected-1",
        "kind": "started",
        "sequence_number": 0,
        "trigger_reason": "CablePluggedIn",
        "happened_at": NOW.isoformat(),
        "received_at": NOW.isoformat(),
    }
    status, shown = await strum.api("PATCH", place, json={"payload": payload})
    assert status == 200, shown
    for _ in range(2):
        status, shown = await strum.api("POST", f"{place}/replay")
        assert (status, shown["state"], shown["failure"]) == (200, "replayed", None)
    found = [item for item in await strum.pages("/transactions") if item["transaction_ref"] == "corrected-1"]
    assert len(found) == 1
