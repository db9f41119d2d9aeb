"""Commands that have effects: what they set off is seen by the central system."""

import asyncio
from typing import Any

import pytest

from tests.simulator.conftest import START, VERSIONS, MakeStation
from tests.simulator.csms import Csms

TOKEN = {"idToken": "ABC", "type": "ISO14443"}
TWO = pytest.mark.parametrize("version", ["2.0.1", "2.1"])


async def remote_start(csms: Csms, version: str) -> Any:
    if version == "1.6":
        return await csms.command("SIM-0001", "RemoteStartTransaction", {"idTag": "ABC", "connectorId": 1})
    return await csms.command(
        "SIM-0001", "RequestStartTransaction", {"idToken": TOKEN, "remoteStartId": 77, "evseId": 1}
    )


async def remote_stop(csms: Csms, version: str, transaction_id: Any) -> Any:
    name = "RemoteStopTransaction" if version == "1.6" else "RequestStopTransaction"
    return await csms.command("SIM-0001", name, {"transactionId": transaction_id})


async def test_a_remote_start_and_stop_really_charge(csms: Csms, make_station: MakeStation, version: str) -> None:
    station = make_station(csms, version=version)
    await station.start()
    assert await remote_start(csms, version) == {"status": "Accepted"}
    await csms.until(lambda: len(station.charges) == 1 and station.charges[0].record.start_acknowledged)
    [charge] = station.charges
    assert await remote_start(csms, version) == {"status": "Rejected"}

    assert await remote_stop(csms, version, charge.record.transaction_id) == {"status": "Accepted"}
    await asyncio.wait_for(charge.over.wait(), 5)
    assert charge.record.reason == "Remote"
    assert charge.record.stop_acknowledged
    assert charge.record.id_token == "ABC"
    assert "Authorize" not in csms.actions()
    if version != "1.6":
        started = csms.payloads("TransactionEvent")[0]
        assert started["triggerReason"] == "RemoteStart"
        assert started["transactionInfo"]["remoteStartId"] == 77


async def test_an_unknown_transaction_cannot_be_stopped(csms: Csms, make_station: MakeStation, version: str) -> None:
    station = make_station(csms, version=version)
    await station.start()
    await station.plug_in_and_charge(id_token="ABC")
    unknown = 12345 if version == "1.6" else "12345"

    assert await remote_stop(csms, version, unknown) == {"status": "Rejected"}
    assert len(station.charges) == 1


async def test_a_remote_start_is_authorized_first_if_so_configured(csms: Csms, make_station: MakeStation) -> None:
    csms.answers["Authorize"] = lambda _: {"idTagInfo": {"status": "Invalid"}}
    station = make_station(csms)
    await station.start()
    change = {"key": "AuthorizeRemoteTxRequests", "value": "true"}
    assert await csms.command("SIM-0001", "ChangeConfiguration", change) == {"status": "Accepted"}
    await remote_start(csms, "1.6")
    await csms.until(lambda: "Authorize" in csms.actions())
    await asyncio.sleep(0.05)

    assert station.charges == []


@pytest.mark.parametrize(
    ("version", "payload", "reason"),
    [
        ("1.6", {"type": "Hard"}, "HardReset"),
        ("1.6", {"type": "Soft"}, "SoftReset"),
        ("2.0.1", {"type": "Immediate"}, "ImmediateReset"),
        ("2.1", {"type": "Immediate"}, "ImmediateReset"),
    ],
)
async def test_a_reset_ends_charges_and_boots(
    csms: Csms, make_station: MakeStation, version: str, payload: dict[str, str], reason: str
) -> None:
    station = make_station(csms, version=version, settings={"backoff_minimum_s": 3000})
    await station.start()
    charge = await station.plug_in_and_charge(id_token="ABC")
    assert await csms.command("SIM-0001", "Reset", payload) == {"status": "Accepted"}
    await csms.until(lambda: csms.actions().count("BootNotification") == 2)
    await asyncio.wait_for(station.drained(), 5)

    assert csms.connections == 2
    assert charge.record.reason == reason
    assert charge.record.stop_acknowledged
    assert not station.charges


async def test_a_reset_on_idle_waits_for_the_charge(csms: Csms, make_station: MakeStation) -> None:
    station = make_station(csms, version="2.0.1")
    await station.start()
    await station.plug_in_and_charge(id_token="ABC")
    assert await csms.command("SIM-0001", "Reset", {"type": "OnIdle"}) == {"status": "Scheduled"}
    await asyncio.sleep(0.05)
    assert csms.connections == 1

    await station.stop_charge()
    await csms.until(lambda: csms.actions().count("BootNotification") == 2)
    assert csms.payloads("BootNotification")[1]["reason"] == "ScheduledReset"


@pytest.mark.parametrize(
    ("version", "wanted"),
    [
        (version, wanted)
        for version in VERSIONS
        for wanted in (
            "BootNotification",
            "Heartbeat",
            "StatusNotification",
            "MeterValues",
            "FirmwareStatusNotification",
            "LogStatusNotification" if version != "1.6" else "DiagnosticsStatusNotification",
        )
    ],
)
async def test_a_triggered_message_is_really_sent(
    csms: Csms, make_station: MakeStation, version: str, wanted: str
) -> None:
    station = make_station(csms, version=version)
    await station.start()
    await csms.until(lambda: "StatusNotification" in csms.actions())
    before = csms.actions().count(wanted)
    answer = await csms.command("SIM-0001", "TriggerMessage", {"requestedMessage": wanted})

    assert answer == {"status": "Accepted"}
    await csms.until(lambda: csms.actions().count(wanted) == before + 1)


async def test_a_pending_station_boots_when_triggered(csms: Csms, make_station: MakeStation, version: str) -> None:
    status = ["Pending"]
    csms.answers["BootNotification"] = lambda _: {
        "status": status[0], "currentTime": "2024-05-01T12:00:00Z", "interval": 86_400,
    }  # fmt: skip
    station = make_station(csms, version=version)
    await station.start(wait=False)
    await csms.until(lambda: "BootNotification" in csms.actions())
    status[0] = "Accepted"
    await csms.command("SIM-0001", "TriggerMessage", {"requestedMessage": "BootNotification"})
    await asyncio.wait_for(station.wait_ready(), 5)

    assert csms.actions().count("BootNotification") == 2


async def test_configuration_keys_are_read_and_changed(csms: Csms, make_station: MakeStation) -> None:
    station = make_station(csms, connectors=2)
    await station.start()

    async def change(key: str, value: str) -> Any:
        return (await csms.command("SIM-0001", "ChangeConfiguration", {"key": key, "value": value}))["status"]

    assert await change("MeterValueSampleInterval", "900") == "Accepted"
    assert await change("MeterValueSampleInterval", "soon") == "Rejected"
    assert await change("NumberOfConnectors", "3") == "Rejected"
    assert await change("NoSuchKey", "1") == "NotSupported"
    assert await change("SecurityProfile", "1") == "RebootRequired"
    answer = await csms.command(
        "SIM-0001", "GetConfiguration", {"key": ["MeterValueSampleInterval", "NumberOfConnectors", "NoSuchKey"]}
    )
    assert answer == {
        "configurationKey": [
            {"key": "MeterValueSampleInterval", "readonly": False, "value": "900"},
            {"key": "NumberOfConnectors", "readonly": True, "value": "2"},
        ],
        "unknownKey": ["NoSuchKey"],
    }
    assert station.settings.meter_interval_s == 900


@TWO
async def test_variables_are_read_and_changed(csms: Csms, make_station: MakeStation, version: str) -> None:
    station = make_station(csms, version=version)
    await station.start()
    interval = {"component": {"name": "SampledDataCtrlr"}, "variable": {"name": "TxUpdatedInterval"}}
    password = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    strange = {"component": {"name": "NoSuchCtrlr"}, "variable": {"name": "X"}}
    written = await csms.command(
        "SIM-0001",
        "SetVariables",
        {"setVariableData": [interval | {"attributeValue": "900"}, strange | {"attributeValue": "1"}]},
    )
    read = await csms.command(
        "SIM-0001", "GetVariables", {"getVariableData": [interval, password, interval | {"attributeType": "MaxSet"}]}
    )

    assert [r["attributeStatus"] for r in written["setVariableResult"]] == ["Accepted", "UnknownComponent"]
    statuses = [r["attributeStatus"] for r in read["getVariableResult"]]
    assert statuses == ["Accepted", "Rejected", "NotSupportedAttributeType"]
    assert read["getVariableResult"][0]["attributeValue"] == "900"
    assert station.settings.meter_interval_s == 900


@TWO
async def test_a_base_report_arrives_in_pages(csms: Csms, make_station: MakeStation, version: str) -> None:
    station = make_station(csms, version=version)
    await station.start()
    await csms.command("SIM-0001", "GetBaseReport", {"requestId": 4, "reportBase": "FullInventory"})
    await csms.until(lambda: any(not page["tbc"] for page in csms.payloads("NotifyReport")))

    pages = csms.payloads("NotifyReport")
    assert [page["seqNo"] for page in pages] == list(range(len(pages)))
    assert [page["tbc"] for page in pages] == [True] * (len(pages) - 1) + [False]
    assert sum(len(page["reportData"]) for page in pages) == len(list(station.store))


@TWO
async def test_charging_profiles_are_kept_and_reported(csms: Csms, make_station: MakeStation, version: str) -> None:
    station = make_station(csms, version=version)
    await station.start()
    profile = profile_v2()
    await csms.command("SIM-0001", "SetChargingProfile", {"evseId": 1, "chargingProfile": profile})
    schedule = await csms.command("SIM-0001", "GetCompositeSchedule", {"evseId": 1, "duration": 60})
    ask = {"requestId": 9, "chargingProfile": {}}
    assert await csms.command("SIM-0001", "GetChargingProfiles", ask) == {"status": "Accepted"}
    await csms.until(lambda: "ReportChargingProfiles" in csms.actions())
    assert await csms.command("SIM-0001", "ClearChargingProfile", {"chargingProfileId": 3}) == {"status": "Accepted"}
    assert await csms.command("SIM-0001", "GetChargingProfiles", ask) == {"status": "NoProfiles"}

    assert schedule["schedule"]["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 6000}]
    assert csms.payloads("ReportChargingProfiles")[0]["chargingProfile"] == [profile]


def profile_v2() -> dict[str, Any]:
    period = {"startPeriod": 0, "limit": 6000}
    return {
        "id": 3,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [{"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": [period]}],
    }


async def test_a_firmware_update_is_reported_step_by_step(csms: Csms, make_station: MakeStation, version: str) -> None:
    station = make_station(csms, version=version)
    await station.start()
    when = START.isoformat()
    payload: dict[str, Any] = {"location": "https://firmware.test/fw-2.0.bin", "retrieveDate": when}
    if version != "1.6":
        payload = {"requestId": 5, "firmware": {"location": payload["location"], "retrieveDateTime": when}}
    await csms.command("SIM-0001", "UpdateFirmware", payload)
    steps = ["Downloading", "Downloaded", "Installing", "Installed"]
    await csms.until(lambda: len(csms.payloads("FirmwareStatusNotification")) == 4)

    told = csms.payloads("FirmwareStatusNotification")
    assert [step["status"] for step in told] == steps
    assert {step.get("requestId") for step in told} == {None if version == "1.6" else 5}


async def test_a_log_is_uploaded_in_pretence(csms: Csms, make_station: MakeStation, version: str) -> None:
    station = make_station(csms, version=version)
    await station.start()
    log = {"remoteLocation": "https://logs.test/x"}
    await csms.command("SIM-0001", "GetLog", {"logType": "DiagnosticsLog", "requestId": 6, "log": log})
    await csms.until(lambda: len(csms.payloads("LogStatusNotification")) == 2)

    told = [(step["status"], step["requestId"]) for step in csms.payloads("LogStatusNotification")]
    assert told == [("Uploading", 6), ("Uploaded", 6)]


async def test_a_reservation_is_shown_and_lifted(csms: Csms, make_station: MakeStation, version: str) -> None:
    station = make_station(csms, version=version, speed=1)
    await station.start()
    later = "2024-05-01T23:00:00Z"
    payload = {"connectorId": 1, "expiryDate": later, "idTag": "ABC", "reservationId": 8}
    if version != "1.6":
        payload = {"id": 8, "expiryDateTime": later, "idToken": TOKEN, "evseId": 1}
    assert await csms.command("SIM-0001", "ReserveNow", payload) == {"status": "Accepted"}
    await csms.until(lambda: states(csms)[-1:] == ["Reserved"])
    assert await csms.command("SIM-0001", "CancelReservation", {"reservationId": 8}) == {"status": "Accepted"}
    await csms.until(lambda: states(csms)[-1:] == ["Available"])
    assert await csms.command("SIM-0001", "CancelReservation", {"reservationId": 8}) == {"status": "Rejected"}


def states(csms: Csms) -> list[str]:
    told = csms.payloads("StatusNotification")
    return [status.get("status") or status["connectorStatus"] for status in told]


async def test_availability_changes_at_once_or_after_the_charge(
    csms: Csms, make_station: MakeStation, version: str
) -> None:
    def change(kind: str) -> dict[str, Any]:
        if version == "1.6":
            return {"connectorId": 1, "type": kind}
        return {"evse": {"id": 1}, "operationalStatus": kind}

    station = make_station(csms, version=version)
    await station.start()
    await station.plug_in_and_charge(id_token="ABC")
    scheduled = await csms.command("SIM-0001", "ChangeAvailability", change("Inoperative"))
    await station.stop_charge()
    await csms.until(lambda: states(csms)[-1] == "Unavailable")
    accepted = await csms.command("SIM-0001", "ChangeAvailability", change("Operative"))
    await csms.until(lambda: states(csms)[-1] == "Available")

    assert (scheduled["status"], accepted["status"]) == ("Scheduled", "Accepted")


async def test_unlocking_during_a_charge_follows_the_version(
    csms: Csms, make_station: MakeStation, version: str
) -> None:
    station = make_station(csms, version=version)
    await station.start()
    charge = await station.plug_in_and_charge(id_token="ABC")
    place = {"connectorId": 1} if version == "1.6" else {"evseId": 1, "connectorId": 1}
    answer = await csms.command("SIM-0001", "UnlockConnector", place)

    if version == "1.6":
        await asyncio.wait_for(charge.over.wait(), 5)
        assert answer == {"status": "Unlocked"}
        assert charge.record.reason == "UnlockCommand"
    else:
        assert answer == {"status": "OngoingAuthorizedTransaction"}
        assert not charge.ended


async def test_the_local_list_only_grows_newer(csms: Csms, make_station: MakeStation, version: str) -> None:
    station = make_station(csms, version=version)
    await station.start()
    number = "listVersion" if version == "1.6" else "versionNumber"
    full = {number: 4, "updateType": "Full"}
    differential = {number: 4, "updateType": "Differential"}

    assert await csms.command("SIM-0001", "SendLocalList", full) == {"status": "Accepted"}
    assert await csms.command("SIM-0001", "SendLocalList", differential) == {"status": "VersionMismatch"}
    assert await csms.command("SIM-0001", "GetLocalListVersion", {}) == {number: 4}
