"""The oracle: what was sent, and what became of it."""

import json
from pathlib import Path

from simulator.ledger import Class, Ledger
from simulator.outcome import TIMEOUT, Answered, Refused, Unanswered
from tests.simulator.conftest import MakeStation
from tests.simulator.csms import Csms


def test_transmissions_of_one_fact_share_its_key() -> None:
    ledger = Ledger()
    for message_id, outcome in (("a", Unanswered(TIMEOUT)), ("b", Answered({})), ("c", Refused("InternalError", "no"))):
        sent = ledger.sending(station_id="S", action="StartTransaction", message_id=message_id, key="S/1/start")
        ledger.settle(sent, outcome, latency_s=0.1)
    lost = ledger.sending(station_id="S", action="StopTransaction", message_id="d", key="S/1/stop")
    ledger.settle(lost, Unanswered(TIMEOUT), latency_s=0.1)
    ledger.sending(station_id="S", action="Heartbeat", message_id="e", key="S/beat")

    assert {key: len(calls) for key, calls in ledger.facts()} == {"S/1/start": 3, "S/1/stop": 1, "S/beat": 1}
    assert ledger.outcome_of("S/1/start") is Class.ANSWERED
    assert ledger.outcome_of("S/1/stop") is Class.UNANSWERED
    assert ledger.outcome_of("S/beat") is Class.PENDING
    assert ledger.calls[2].detail == "InternalError: no"
    assert dict(ledger.counts) == {"sent": 5, "answered": 1, "refused": 1, "unanswered": 2}


async def test_a_charge_is_recorded_with_what_was_acknowledged(
    csms: Csms, make_station: MakeStation, tmp_path: Path, version: str
) -> None:
    station = make_station(csms, version=version)
    await station.start()
    charge = await station.plug_in_and_charge(id_token="ABC")
    await csms.until(lambda: len(charge.record.samples) >= 2 and charge.record.samples[1].acknowledged)
    station.lose_network()
    await station.stop_charge(reason="EVDisconnected")
    station.ledger.dump(tmp_path / "ledger.json")

    dumped = json.loads((tmp_path / "ledger.json").read_text())
    [transaction] = dumped["transactions"]
    assert transaction["station_id"] == "SIM-0001"
    assert transaction["connector"] == 1
    assert transaction["id_token"] == "ABC"
    assert transaction["reason"] == "EVDisconnected"
    assert transaction["transaction_id"] == (1 if version == "1.6" else transaction["station_transaction_id"])
    assert transaction["start_acknowledged"] is True
    assert transaction["stop_acknowledged"] is False
    assert transaction["samples"][0]["acknowledged"] is True
    assert transaction["energy_wh"] == transaction["meter_stop_wh"] - transaction["meter_start_wh"] > 0
    assert transaction["started_at"] < transaction["samples"][0]["at"] < transaction["stopped_at"]
    starts = [call for call in dumped["calls"] if "/start/" in call["key"]]
    assert [call["outcome"] for call in starts] == ["answered"]
    assert starts[0]["transaction_id"] == (1 if version == "1.6" else None)


def test_a_ledger_that_keeps_nothing_still_counts() -> None:
    ledger = Ledger(keep=False)
    sent = ledger.sending(station_id="S", action="Heartbeat", message_id="a", key="S/1")
    ledger.settle(sent, Answered({}), latency_s=0.2)

    assert ledger.calls == []
    assert ledger.counts["answered"] == 1
    assert ledger.latencies.percentile(0.5) == 0.2
