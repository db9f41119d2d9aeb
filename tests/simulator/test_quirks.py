"""Each quirk shows on the wire what stations in the field were seen to do."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from simulator.quirks import QUIRKS, Quirks, UnknownQuirk
from simulator.station import Station
from tests.simulator.conftest import MakeStation
from tests.simulator.csms import Csms

QUICK = {"backoff_minimum_s": 1, "backoff_random_s": 0, "message_timeout_s": 5, "message_retry_s": 1}


async def charged(csms: Csms, station: Station) -> None:
    """A short charge with a sample, delivered or given up."""
    await station.start()
    charge = await station.plug_in_and_charge(id_token="ABCDEF", lasts=timedelta(minutes=15))
    await asyncio.wait_for(charge.over.wait(), 5)
    await asyncio.wait_for(station.drained(), 5)


def readings(csms: Csms) -> list[dict[str, str]]:
    return [r for p in csms.payloads("MeterValues") for m in p["meterValue"] for r in m["sampledValue"]]


SHOWN: dict[str, Callable[[Csms], bool]] = {
    "naive-timestamps": lambda c: datetime.fromisoformat(stop(c)["timestamp"]).tzinfo is None,
    "short-offset": lambda c: stop(c)["timestamp"].endswith("+02"),
    "clock-1970": lambda c: stop(c)["timestamp"].startswith("1970-01-01T"),
    "huge-transaction-id": lambda c: stop(c)["transactionId"] == 2**63 - 1,
    "stop-id-zero": lambda c: stop(c)["transactionId"] == 0,
    "invalid-json": lambda c: any('"transactionId":,' in text for text in c.invalid),
    "long-serial": lambda c: len(c.payloads("BootNotification")[0]["chargePointSerialNumber"]) == 33,
    "odd-meter-type": lambda c: len(c.payloads("BootNotification")[0]["meterType"]) > 25,
    "unit-hertz": lambda c: readings(c)[-1]["unit"] == "Hertz",
    "unit-hz": lambda c: readings(c)[-1]["unit"] == "Hz",
    "wrong-context": lambda c: {r["context"] for r in readings(c)} == {"Sample.Clock"},
    "corrupted-id-tag": lambda c: c.payloads("Authorize")[0]["idTag"] == "ABCD\x7f\x00",
    "ids-restart": lambda c: [s.message_id for s in c.seen[:3]] == ["1", "2", "3"],
    "meters-after-stop": lambda c: c.actions().index("StopTransaction") < last(c, "MeterValues"),
    "meters-before-boot": lambda c: c.actions()[0] == "MeterValues",
    "never-stops": lambda c: "StopTransaction" not in c.actions(),
    "old-history": lambda c: c.payloads("StartTransaction")[0]["timestamp"].startswith("2024-04-28T08"),
    "no-subprotocol": lambda c: "Sec-WebSocket-Protocol" not in c.headers[0],
}


def stop(csms: Csms) -> dict[str, str]:
    return csms.payloads("StopTransaction")[0]


def last(csms: Csms, action: str) -> int:
    return max(n for n, seen in enumerate(csms.actions()) if seen == action)


@pytest.mark.parametrize("name", SHOWN)
async def test_a_quirk_shows_in_a_charge(lenient_csms: Csms, make_station: MakeStation, name: str) -> None:
    plain = make_station(lenient_csms, settings=QUICK)
    await charged(lenient_csms, plain)
    shows_without = _shown(lenient_csms, name)
    await plain.close()
    _forget(lenient_csms)
    await charged(lenient_csms, make_station(lenient_csms, quirks=[name], settings=QUICK))

    assert not shows_without
    assert SHOWN[name](lenient_csms)


def _shown(csms: Csms, name: str) -> bool:
    try:
        return SHOWN[name](csms)
    except KeyError:
        return False


def _forget(csms: Csms) -> None:
    for record in (csms.seen, csms.texts, csms.invalid, csms.headers):
        record.clear()


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_2_x_quirks_show_in_a_charge(lenient_csms: Csms, make_station: MakeStation, version: str) -> None:
    quirks = ["seqno-zero", "v16-shapes", "unit-hertz"]
    await charged(lenient_csms, make_station(lenient_csms, version=version, quirks=quirks))
    events = lenient_csms.payloads("TransactionEvent")

    assert {event["seqNo"] for event in events} == {0}
    assert set(lenient_csms.payloads("BootNotification")[0]) == {"chargePointVendor", "chargePointModel"}
    assert lenient_csms.payloads("StatusNotification")[0]["errorCode"] == "NoError"
    assert events[0]["meterValue"][0]["sampledValue"][-1]["unitOfMeasure"] == {"unit": "Hertz"}


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_a_long_serial_shows_in_a_2_x_boot(lenient_csms: Csms, make_station: MakeStation, version: str) -> None:
    await make_station(lenient_csms, version=version, quirks=["long-serial"]).start()

    assert len(lenient_csms.payloads("BootNotification")[0]["chargingStation"]["serialNumber"]) == 33


async def test_a_boot_is_repeated_with_the_same_id(lenient_csms: Csms, make_station: MakeStation) -> None:
    station = make_station(lenient_csms, quirks=["boot-repeated"])
    await station.start()
    await lenient_csms.until(lambda: lenient_csms.actions().count("BootNotification") == 3)

    assert len({s.message_id for s in lenient_csms.seen if s.action == "BootNotification"}) == 1


@pytest.mark.parametrize(("quirk", "boots"), [((), 1), (("boot-at-reconnect",), 2), (("no-boot",), 1)])
async def test_a_reconnect_boots_only_by_habit(
    csms: Csms, make_station: MakeStation, quirk: tuple[str, ...], boots: int
) -> None:
    station = make_station(csms, quirks=quirk, settings=QUICK)
    await station.start()
    station.lose_network()
    station.restore_network()
    await asyncio.wait_for(station.wait_ready(), 5)

    assert csms.connections == 2
    assert csms.actions().count("BootNotification") == boots


async def test_a_station_that_never_boots_again_does_not_after_lost_power(
    csms: Csms, make_station: MakeStation
) -> None:
    station = make_station(csms, quirks=["no-boot"], settings=QUICK)
    await station.start()
    station.lose_power()
    station.restore_power()
    await asyncio.wait_for(station.wait_ready(), 5)

    assert csms.connections == 2
    assert csms.actions().count("BootNotification") == 1


async def test_a_start_is_sent_again_after_a_lost_link(csms: Csms, make_station: MakeStation) -> None:
    station = make_station(csms, quirks=["start-resent"], settings=QUICK)
    await station.start()
    await station.plug_in_and_charge(id_token="ABC")
    station.lose_network()
    station.restore_network()
    await csms.until(lambda: csms.actions().count("StartTransaction") == 2)

    first, second = csms.payloads("StartTransaction")
    assert first == second


async def test_a_retry_may_keep_its_id(csms: Csms, make_station: MakeStation) -> None:
    csms.silent = {"StartTransaction"}
    station = make_station(csms, quirks=["same-id-on-retry"], settings=QUICK)
    await station.start()
    await station.plug_in_and_charge(id_token="ABC")
    await csms.until(lambda: csms.actions().count("StartTransaction") == 2)

    assert len({s.message_id for s in csms.seen if s.action == "StartTransaction"}) == 1


async def test_a_lost_link_may_cost_an_attempt(csms: Csms, make_station: MakeStation) -> None:
    csms.silent = {"StartTransaction"}
    station = make_station(csms, quirks=["count-lost-links"], settings=QUICK | {"message_attempts": 1})
    await station.start()
    charging = asyncio.create_task(station.plug_in_and_charge(id_token="ABC"))
    await csms.until(lambda: "StartTransaction" in csms.actions())
    station.lose_network()
    charge = await charging

    assert len(charge.record.discarded) == 1


async def test_a_station_may_never_dial_again(csms: Csms, make_station: MakeStation) -> None:
    station = make_station(csms, quirks=["no-reconnect"], settings=QUICK)
    await station.start()
    await csms.sockets["SIM-0001"].ws.close()
    await asyncio.sleep(0.1)

    assert csms.connections == 1
    assert not station.online


async def test_answers_may_be_late_silent_or_for_nobody(lenient_csms: Csms, make_station: MakeStation) -> None:
    late = make_station(lenient_csms, station_id="LATE", quirks=["slow-answers"])
    lost = make_station(lenient_csms, station_id="LOST", quirks=["silent-reset"])
    stray = make_station(lenient_csms, station_id="STRAY", quirks=["error-id-minus-one"])
    for station in (late, lost, stray):
        await station.start()

    began = asyncio.get_running_loop().time()
    await lenient_csms.command("LATE", "ClearCache", {})
    assert asyncio.get_running_loop().time() - began >= 0.4
    for station_id, action, payload in (("LOST", "Reset", {"type": "Hard"}), ("STRAY", "ClearCache", {})):
        ws = lenient_csms.sockets[station_id].ws
        await ws.send_str(json.dumps([2, "question", action, payload]))
    await lenient_csms.until(lambda: len(lenient_csms.strays) == 1)
    await lenient_csms.until(lambda: lenient_csms.actions("LOST").count("BootNotification") == 2)
    assert lenient_csms.strays[0][:3] == [4, "-1", "RpcFrameworkError"]


async def test_configuration_may_lie(lenient_csms: Csms, make_station: MakeStation) -> None:
    station = make_station(lenient_csms, quirks=["garbage-connector-count", "both-rate-units"])
    await station.start()
    answer = await lenient_csms.command("SIM-0001", "GetConfiguration", {"key": ["NumberOfConnectors"]})
    schedule = await lenient_csms.command("SIM-0001", "GetCompositeSchedule", {"connectorId": 1, "duration": 9})

    assert answer["configurationKey"][0]["value"] == "1634030126"
    assert schedule["chargingSchedule"]["chargingRateUnit"] == "Current,Power"


def test_redialling_quirks_change_the_back_off() -> None:
    assert Quirks(["redials-every-10-s"]).habits.settings["backoff_minimum_s"] == 10
    assert Quirks(["redials-late", "no-boot"]).habits.settings["backoff_random_s"] == 780


def test_an_unknown_quirk_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownQuirk, match="naive-timestamps"):
        Quirks(["no-such-quirk"])


def test_every_quirk_has_an_effect() -> None:
    for quirk in QUIRKS.values():
        assert quirk.payload or quirk.text or quirk.answer or quirk.habits
