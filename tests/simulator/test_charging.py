"""A charge from plug to stop, in each version, as a central system sees it."""

import asyncio
from datetime import timedelta

import pytest

from simulator import charging, telling
from simulator.charging import ChargeRefused, ConnectorUnavailable
from tests.simulator.conftest import START, MakeStation
from tests.simulator.csms import Csms


async def test_a_1_6_charge_is_told_from_boot_to_stop(csms: Csms, make_station: MakeStation) -> None:
    station = make_station(csms)
    await station.start()
    charge = await station.plug_in_and_charge(id_token="ABC", lasts=timedelta(hours=1))
    await csms.until(lambda: "StopTransaction" in csms.actions())
    await station.drained()

    actions = [action for action in csms.actions() if action != "StatusNotification"]
    assert actions[:3] == ["BootNotification", "Authorize", "StartTransaction"]
    assert actions[3:] == ["MeterValues"] * 5 + ["StopTransaction"]
    [start], [stop] = csms.payloads("StartTransaction"), csms.payloads("StopTransaction")
    assert stop["meterStop"] - start["meterStart"] == 11_000 == charge.record.energy_wh
    assert stop["transactionId"] == 1
    assert stop["reason"] == "Local"
    assert {values["transactionId"] for values in csms.payloads("MeterValues")} == {1}


async def test_statuses_follow_a_1_6_charge(csms: Csms, make_station: MakeStation) -> None:
    station = make_station(csms)
    await station.start()
    await station.plug_in_and_charge(id_token="ABC")
    await station.stop_charge()
    await csms.until(lambda: len(csms.payloads("StatusNotification")) == 5)

    states = [status["status"] for status in csms.payloads("StatusNotification")]
    assert states == ["Available", "Preparing", "Charging", "Finishing", "Available"]


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_a_2_x_charge_is_one_numbered_line_of_events(csms: Csms, make_station: MakeStation, version: str) -> None:
    station = make_station(csms, version=version)
    await station.start()
    charge = await station.plug_in_and_charge(id_token="ABC", lasts=timedelta(hours=1))
    await csms.until(lambda: len(csms.payloads("TransactionEvent")) == 8)
    await station.drained()

    events = csms.payloads("TransactionEvent")
    assert [event["eventType"] for event in events] == ["Started"] + ["Updated"] * 6 + ["Ended"]
    assert [event["seqNo"] for event in events] == list(range(8))
    assert {event["transactionInfo"]["transactionId"] for event in events} == {charge.record.transaction_id}
    assert [event["transactionInfo"]["chargingState"] for event in events[:3]] == ["EVConnected"] + ["Charging"] * 2
    assert events[0]["idToken"] == {"idToken": "ABC", "type": "ISO14443"}
    assert events[-1]["transactionInfo"]["stoppedReason"] == "Local"
    assert not any(event.get("offline") for event in events)


async def test_energy_and_time_never_go_back(csms: Csms, make_station: MakeStation, version: str) -> None:
    station = make_station(csms, version=version)
    await station.start()
    first = await station.plug_in_and_charge(id_token="ABC", lasts=timedelta(hours=2))
    await asyncio.wait_for(first.over.wait(), 10)
    second = await station.plug_in_and_charge(id_token="ABC", lasts=timedelta(minutes=25))
    await asyncio.wait_for(second.over.wait(), 10)
    await station.drained()

    register = []
    for record in station.transactions:
        register += [(record.started_at, record.meter_start_wh)]
        register += [(sample.at, sample.wh) for sample in record.samples]
        register += [(record.stopped_at, record.meter_stop_wh)]
    assert register == sorted(register)
    assert len(register) == 4 + 11 + 2
    assert all(isinstance(wh, int) for _, wh in register)
    assert START < register[0][0] < START + timedelta(hours=3)


async def test_a_charge_may_be_stopped_for_any_reason(csms: Csms, make_station: MakeStation, version: str) -> None:
    reasons = ["Local", "EVDisconnected", "EmergencyStop", "Other"]
    station = make_station(csms, version=version)
    await station.start()
    for reason in reasons:
        await station.plug_in_and_charge(id_token="ABC")
        if reason == "EmergencyStop":
            await station.emergency_stop()
        else:
            await station.stop_charge(reason=reason)

    if version == "1.6":
        told = [stop["reason"] for stop in csms.payloads("StopTransaction")]
    else:
        ended = [e for e in csms.payloads("TransactionEvent") if e["eventType"] == "Ended"]
        told = [event["transactionInfo"]["stoppedReason"] for event in ended]
    assert told == reasons == [record.reason for record in station.transactions]


async def test_a_refused_token_starts_nothing(csms: Csms, make_station: MakeStation, version: str) -> None:
    name = "idTagInfo" if version == "1.6" else "idTokenInfo"
    csms.answers["Authorize"] = lambda _: {name: {"status": "Blocked"}}
    station = make_station(csms, version=version)
    await station.start()
    with pytest.raises(ChargeRefused, match="Blocked"):
        await station.plug_in_and_charge(id_token="ABC")

    assert station.charges == []
    assert station.ledger.transactions == []
    assert {"StartTransaction", "TransactionEvent"}.isdisjoint(csms.actions())


async def test_a_token_refused_at_the_start_stops_the_charge(
    csms: Csms, make_station: MakeStation, version: str
) -> None:
    name = "idTagInfo" if version == "1.6" else "idTokenInfo"
    number = {"transactionId": 5} if version == "1.6" else {}
    action = "StartTransaction" if version == "1.6" else "TransactionEvent"
    csms.answers[action] = lambda _: {name: {"status": "Invalid"}, **number}
    station = make_station(csms, version=version)
    await station.start()
    charge = await station.plug_in_and_charge(id_token="ABC")
    await asyncio.wait_for(station.drained(), 5)

    assert charge.record.reason == "DeAuthorized"
    assert charge.record.stop_acknowledged


async def test_a_connector_in_use_takes_no_second_vehicle(csms: Csms, make_station: MakeStation) -> None:
    station = make_station(csms, connectors=2)
    await station.start()
    await station.plug_in_and_charge(id_token="ABC", connector=2)
    with pytest.raises(ConnectorUnavailable):
        await station.plug_in_and_charge(id_token="DEF", connector=2)
    with pytest.raises(ConnectorUnavailable):
        await station.plug_in_and_charge(id_token="DEF", connector=3)

    assert [c.record.connector for c in station.charges] == [2]


async def test_a_stop_is_never_before_the_last_reading(csms: Csms, make_station: MakeStation, version: str) -> None:
    station = make_station(csms, version=version, meter_interval=0)
    await station.start()
    charge = await station.plug_in_and_charge(id_token="ABC")
    begin = charge.record.started_at
    telling.sample(station, charge, at=begin + timedelta(minutes=30))
    await charging.end(station, charge, reason="Local", at=begin + timedelta(minutes=20))

    assert charge.record.stopped_at == begin + timedelta(minutes=30)
    assert charge.record.meter_stop_wh == charge.record.samples[-1].wh
