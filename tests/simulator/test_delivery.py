"""What is delivered when the link, the power or the central system fails (OCPP 1.6 §3.7, OCPP 2.0.1 E13)."""

import asyncio
from datetime import timedelta

import pytest

from simulator.charging import ConnectorUnavailable
from simulator.ledger import Class
from tests.simulator.conftest import MakeStation
from tests.simulator.csms import Csms, Refuse, Seen, eventually

TRANSACTION_ACTIONS = {"StartTransaction", "MeterValues", "StopTransaction", "TransactionEvent"}
QUICK = {"backoff_minimum_s": 1, "backoff_random_s": 1}


def facts(csms: Csms) -> list[str]:
    """The transaction messages in the order they came, in words common to the versions."""
    told = []
    for seen in csms.seen:
        if seen.action == "TransactionEvent":
            trigger = seen.payload["triggerReason"]
            kind = {"Started": "start", "Ended": "stop"}.get(seen.payload["eventType"], "sample")
            told += [] if trigger == "ChargingStateChanged" else [kind]
        elif seen.action in TRANSACTION_ACTIONS:
            told.append({"StartTransaction": "start", "StopTransaction": "stop"}.get(seen.action, "sample"))
    return told


async def test_a_charge_lived_offline_is_delivered_in_order(
    csms: Csms, make_station: MakeStation, version: str
) -> None:
    station = make_station(csms, version=version)
    await station.start()
    station.lose_network()
    charge = await station.plug_in_and_charge(id_token="ABC", lasts=timedelta(hours=1))
    await asyncio.wait_for(charge.over.wait(), 5)
    assert facts(csms) == []

    station.restore_network()
    await asyncio.wait_for(station.drained(), 5)
    assert facts(csms) == ["start"] + ["sample"] * 5 + ["stop"]
    assert charge.record.start_acknowledged
    assert charge.record.stop_acknowledged
    assert all(sample.acknowledged for sample in charge.record.samples)
    if version != "1.6":
        assert all(event["offline"] for event in csms.payloads("TransactionEvent"))


async def test_a_charge_goes_on_while_the_network_is_lost(csms: Csms, make_station: MakeStation, version: str) -> None:
    station = make_station(csms, version=version)
    await station.start()
    charge = await station.plug_in_and_charge(id_token="ABC")
    station.lose_network()
    await csms.until(lambda: not csms.sockets)
    await eventually(lambda: len(charge.record.samples) >= 6)
    station.restore_network()
    await station.wait_ready()
    await station.stop_charge()
    await asyncio.wait_for(station.drained(), 5)

    assert csms.actions().count("BootNotification") == 1
    assert facts(csms)[0] == "start"
    assert facts(csms)[-1] == "stop"
    assert facts(csms).count("sample") == len(charge.record.samples) >= 6
    assert station.ledger.counts["discarded"] == 0


async def test_lost_power_is_reported_after_the_boot_with_the_time_it_happened(
    csms: Csms, make_station: MakeStation, version: str
) -> None:
    station = make_station(csms, version=version)
    await station.start()
    charge = await station.plug_in_and_charge(id_token="ABC")
    await eventually(lambda: len(charge.record.samples) >= 3)
    station.lose_power()
    lost_at = charge.record.stopped_at
    await asyncio.sleep(0.1)
    before = len(csms.seen)
    station.restore_power()
    await asyncio.wait_for(station.drained(), 5)

    told = [action for action in csms.actions()[before:] if action != "StatusNotification"]
    assert told[0] == "BootNotification"
    assert set(told[1:]) <= TRANSACTION_ACTIONS
    assert facts(csms)[-1] == "stop"
    assert lost_at < station.clock.now() - timedelta(minutes=30)
    assert charge.record.reason == "PowerLoss"
    assert charge.record.stopped_at == lost_at
    if version == "1.6":
        [stop] = csms.payloads("StopTransaction")
        assert stop["reason"] == "PowerLoss"
        assert stop["meterStop"] == charge.record.meter_stop_wh
        assert stop["timestamp"].startswith(lost_at.strftime("%Y-%m-%dT%H:%M:%S"))
    else:
        stop = csms.payloads("TransactionEvent")[-1]
        assert stop["transactionInfo"]["stoppedReason"] == "PowerLoss"
        assert stop["timestamp"].startswith(lost_at.strftime("%Y-%m-%dT%H:%M:%S"))


async def test_a_refused_message_is_retried_with_a_growing_wait_and_a_new_id(
    csms: Csms, make_station: MakeStation
) -> None:
    times: list[float] = []

    def refuse_twice(seen: Seen) -> dict[str, object]:
        times.append(asyncio.get_running_loop().time())
        if len(times) < 3:
            raise Refuse
        return {"transactionId": 9, "idTagInfo": {"status": "Accepted"}}

    csms.answers["StartTransaction"] = refuse_twice
    station = make_station(csms, settings={"message_attempts": 3, "message_retry_s": 20})
    await station.start()
    await station.plug_in_and_charge(id_token="ABC")
    await station.stop_charge()
    await asyncio.wait_for(station.drained(), 5)

    starts = [seen for seen in csms.seen if seen.action == "StartTransaction"]
    assert len({seen.message_id for seen in starts}) == 3
    assert starts[0].payload == starts[1].payload == starts[2].payload
    assert 0.2 <= times[1] - times[0] < 0.4 <= times[2] - times[1] < 0.7
    calls = station.ledger.of("SIM-0001", "StartTransaction")
    assert [call.outcome for call in calls] == [Class.REFUSED, Class.REFUSED, Class.ANSWERED]
    assert len({call.key for call in calls}) == 1
    assert station.ledger.outcome_of(calls[0].key) is Class.ANSWERED
    assert csms.payloads("StopTransaction")[0]["transactionId"] == 9


async def test_a_message_is_given_up_after_its_attempts_and_the_next_is_sent(
    csms: Csms, make_station: MakeStation
) -> None:
    def refuse(seen: Seen) -> dict[str, object]:
        raise Refuse

    csms.answers["StartTransaction"] = refuse
    station = make_station(csms, settings={"message_attempts": 2, "message_retry_s": 1})
    await station.start()
    charge = await station.plug_in_and_charge(id_token="ABC")
    await station.stop_charge()
    await asyncio.wait_for(station.drained(), 5)

    assert csms.actions().count("StartTransaction") == 2
    assert csms.payloads("StopTransaction")[0]["transactionId"] == -1
    assert charge.record.discarded == [station.ledger.of("SIM-0001", "StartTransaction")[0].key]
    assert not charge.record.start_acknowledged


async def test_silence_is_a_failure_too(csms: Csms, make_station: MakeStation, version: str) -> None:
    action = "StartTransaction" if version == "1.6" else "TransactionEvent"
    csms.silent = {action}
    station = make_station(
        csms, version=version, settings={"message_attempts": 3, "message_retry_s": 1, "message_timeout_s": 5}
    )
    await station.start()
    await station.plug_in_and_charge(id_token="ABC")
    await csms.until(lambda: csms.actions().count(action) == 2)
    csms.silent = set()
    await station.stop_charge()
    await asyncio.wait_for(station.drained(), 5)

    first = station.ledger.of("SIM-0001", action)[0]
    assert first.outcome is Class.UNANSWERED
    assert first.detail == "timeout"
    assert station.ledger.outcome_of(first.key) is Class.ANSWERED
    assert station.transactions[0].stop_acknowledged


async def test_a_lost_link_costs_no_attempt(csms: Csms, make_station: MakeStation) -> None:
    csms.silent = {"StartTransaction"}
    station = make_station(csms, settings={"message_attempts": 1, **QUICK})
    await station.start()
    charging = asyncio.create_task(station.plug_in_and_charge(id_token="ABC"))
    for number in (1, 2, 3):
        await csms.until(lambda number=number: csms.actions().count("StartTransaction") == number)
        csms.sockets["SIM-0001"].ws._req.transport.abort()
    csms.silent = set()
    await charging
    await station.stop_charge()
    await asyncio.wait_for(station.drained(), 5)

    assert station.transactions[0].start_acknowledged
    assert station.ledger.counts["discarded"] == 0


async def test_an_ordinary_message_is_dropped_at_its_first_failure(csms: Csms, make_station: MakeStation) -> None:
    csms.silent = {"DataTransfer"}
    station = make_station(csms, settings={"message_timeout_s": 5})
    await station.start()
    await station.call("DataTransfer", {"vendorId": "x"})
    await asyncio.sleep(0.2)

    assert csms.actions().count("DataTransfer") == 1


async def test_there_is_never_more_than_one_outstanding_call(csms: Csms, make_station: MakeStation) -> None:
    csms.silent = {"Authorize"}
    station = make_station(csms, settings={"message_timeout_s": 30})
    await station.start()
    charging = asyncio.create_task(station.plug_in_and_charge(id_token="ABC"))
    await csms.until(lambda: "Authorize" in csms.actions())
    transfer = asyncio.create_task(station.call("DataTransfer", {"vendorId": "x"}))
    await asyncio.sleep(0.1)
    assert "DataTransfer" not in csms.actions()

    await transfer
    await charging
    assert "DataTransfer" in csms.actions()


async def test_a_station_dials_again_and_again_until_it_is_let_in(csms: Csms, make_station: MakeStation) -> None:
    csms.refuses_upgrade = True
    station = make_station(csms, settings=QUICK)
    await station.start(wait=False)
    await eventually(lambda: len(station.dial_failures) >= 3)
    csms.refuses_upgrade = False
    await asyncio.wait_for(station.wait_ready(), 5)

    assert set(station.dial_failures) == {"refused: HTTP 503"}


@pytest.mark.parametrize("status", ["Pending", "Rejected"])
async def test_a_station_that_is_not_accepted_keeps_silent_and_boots_again(
    csms: Csms, make_station: MakeStation, version: str, status: str
) -> None:
    times: list[float] = []

    def answer(seen: Seen) -> dict[str, object]:
        times.append(asyncio.get_running_loop().time())
        verdict = status if len(times) < 3 else "Accepted"
        return {"status": verdict, "currentTime": "2024-05-01T12:00:00Z", "interval": 20}

    csms.answers["BootNotification"] = answer
    station = make_station(csms, version=version)
    await station.start(wait=False)
    await csms.until(lambda: times != [])
    charge = await station.plug_in_and_charge(id_token="ABC")
    await asyncio.wait_for(station.wait_ready(), 5)
    await station.stop_charge()
    await asyncio.wait_for(station.drained(), 5)

    assert csms.actions()[:3] == ["BootNotification"] * 3
    assert 0.2 <= times[1] - times[0] < 0.5
    assert charge.record.start_acknowledged
    await csms.until(lambda: "Heartbeat" in csms.actions())


async def test_a_wrong_password_keeps_a_station_out(make_station: MakeStation) -> None:
    async with Csms(password="right") as csms:
        wrong = make_station(csms, station_id="SIM-0002", password="wrong", settings=QUICK)
        await wrong.start(wait=False)
        right = make_station(csms, password="right")
        await right.start()
        await eventually(lambda: wrong.dial_failures != [])

        assert set(wrong.dial_failures) == {"refused: HTTP 401"}
        assert set(csms.sockets) == {"SIM-0001"}


async def test_nobody_waits_for_a_message_behind_another_when_the_link_is_lost(
    csms: Csms, make_station: MakeStation
) -> None:
    csms.silent = {"StartTransaction"}
    station = make_station(csms, settings={"message_timeout_s": 3000})
    await station.start()
    starting = asyncio.create_task(station.plug_in_and_charge(id_token="ABC"))
    await csms.until(lambda: "StartTransaction" in csms.actions())
    stopping = asyncio.create_task(station.stop_charge())
    await asyncio.sleep(0.05)
    assert not stopping.done()

    station.lose_network()
    await asyncio.wait_for(asyncio.gather(starting, stopping), 1)
    assert station.queued >= 2


async def test_a_status_that_was_not_acknowledged_is_told_again(csms: Csms, make_station: MakeStation) -> None:
    csms.silent = {"StatusNotification"}
    station = make_station(csms, settings={"message_timeout_s": 3000})
    await station.start()
    await csms.until(lambda: "StatusNotification" in csms.actions())
    csms.silent = set()
    station.lose_network()
    station.restore_network()
    await csms.until(lambda: csms.actions().count("StatusNotification") == 2)

    assert csms.actions() == ["BootNotification", "StatusNotification", "StatusNotification"]


async def test_a_reconnect_tells_no_status_twice_and_a_boot_tells_all(
    csms: Csms, make_station: MakeStation, version: str
) -> None:
    station = make_station(csms, version=version, connectors=2)
    await station.start()
    await station.call("DataTransfer", {"vendorId": "x"})
    station.lose_network()
    station.restore_network()
    await asyncio.wait_for(station.wait_ready(), 5)
    await station.call("DataTransfer", {"vendorId": "x"})
    assert csms.actions().count("StatusNotification") == 2

    station.lose_power()
    station.restore_power()
    await csms.until(lambda: csms.actions().count("StatusNotification") == 4)
    assert csms.actions().count("BootNotification") == 2


async def test_nothing_charges_without_power(csms: Csms, make_station: MakeStation) -> None:
    csms.silent = {"Authorize"}
    station = make_station(csms)
    await station.start()
    waiting = asyncio.create_task(station.plug_in_and_charge(id_token="ABC"))
    await csms.until(lambda: "Authorize" in csms.actions())
    station.lose_power()
    with pytest.raises(ConnectorUnavailable):
        await waiting
    with pytest.raises(ConnectorUnavailable):
        await station.plug_in_and_charge(id_token="ABC")

    assert station.ledger.transactions == []


async def test_a_station_leaves_who_does_not_speak_its_version(csms: Csms, make_station: MakeStation) -> None:
    csms.protocols = ("ocpp2.1",)
    station = make_station(csms, version="2.0.1", settings=QUICK)
    await station.start(wait=False)
    await eventually(lambda: station.dial_failures != [])

    assert station.dial_failures[0] == "no common subprotocol"
    assert csms.seen == []
