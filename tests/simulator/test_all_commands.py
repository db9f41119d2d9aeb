"""Every command of each version is answered, with an answer that the official schema accepts."""

from pathlib import Path
from typing import Any

import ocpp
import pytest

from simulator.station import DIALECTS
from tests.simulator.conftest import VERSIONS, MakeStation
from tests.simulator.csms import Csms
from tests.simulator.test_commands import TOKEN, profile_v2

LATER = "2024-05-02T08:00:00Z"
PEM = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----"
HASH = {"hashAlgorithm": "SHA256", "issuerNameHash": "a", "issuerKeyHash": "b", "serialNumber": "1"}
VARIABLE = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
PROFILE_16 = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": {"chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 5000}]},
}
FIRMWARE = {"location": "https://f.test/x", "retrieveDateTime": LATER}
LOG = {"logType": "SecurityLog", "requestId": 1, "log": {"remoteLocation": "https://l.test"}}
SECURITY: dict[str, Any] = {
    "CertificateSigned": {"certificateChain": PEM},
    "DeleteCertificate": {"certificateHashData": HASH},
    "GetLog": LOG,
}
V16: dict[str, Any] = SECURITY | {
    "CancelReservation": {"reservationId": 1},
    "ChangeAvailability": {"connectorId": 0, "type": "Operative"},
    "ChangeConfiguration": {"key": "HeartbeatInterval", "value": "60"},
    "ClearCache": {},
    "ClearChargingProfile": {},
    "DataTransfer": {"vendorId": "x"},
    "ExtendedTriggerMessage": {"requestedMessage": "LogStatusNotification"},
    "GetCompositeSchedule": {"connectorId": 1, "duration": 60},
    "GetConfiguration": {},
    "GetDiagnostics": {"location": "ftp://d.test/x"},
    "GetInstalledCertificateIds": {"certificateType": "CentralSystemRootCertificate"},
    "GetLocalListVersion": {},
    "InstallCertificate": {"certificateType": "CentralSystemRootCertificate", "certificate": PEM},
    "RemoteStartTransaction": {"idTag": "ABC"},
    "RemoteStopTransaction": {"transactionId": 1},
    "ReserveNow": {"connectorId": 0, "expiryDate": LATER, "idTag": "ABC", "reservationId": 1},
    "Reset": {"type": "Soft"},
    "SendLocalList": {"listVersion": 1, "updateType": "Full"},
    "SetChargingProfile": {"connectorId": 1, "csChargingProfiles": PROFILE_16},
    "SignedUpdateFirmware": {"requestId": 1, "firmware": FIRMWARE | {"signingCertificate": PEM, "signature": "s"}},
    "TriggerMessage": {"requestedMessage": "Heartbeat"},
    "UnlockConnector": {"connectorId": 1},
    "UpdateFirmware": {"location": "https://f.test/x", "retrieveDate": LATER},
}
V201: dict[str, Any] = SECURITY | {
    "CancelReservation": {"reservationId": 1},
    "ChangeAvailability": {"operationalStatus": "Operative"},
    "ClearCache": {},
    "ClearChargingProfile": {"chargingProfileId": 1},
    "ClearDisplayMessage": {"id": 1},
    "ClearVariableMonitoring": {"id": [1]},
    "CostUpdated": {"totalCost": 1, "transactionId": "x"},
    "CustomerInformation": {"requestId": 1, "report": True, "clear": False, "idToken": TOKEN},
    "DataTransfer": {"vendorId": "x"},
    "GetBaseReport": {"requestId": 1, "reportBase": "SummaryInventory"},
    "GetChargingProfiles": {"requestId": 1, "chargingProfile": {}},
    "GetCompositeSchedule": {"evseId": 1, "duration": 60},
    "GetDisplayMessages": {"requestId": 1},
    "GetInstalledCertificateIds": {},
    "GetLocalListVersion": {},
    "GetMonitoringReport": {"requestId": 1},
    "GetReport": {"requestId": 1, "componentVariable": [VARIABLE]},
    "GetTransactionStatus": {},
    "GetVariables": {"getVariableData": [VARIABLE]},
    "InstallCertificate": {"certificateType": "CSMSRootCertificate", "certificate": PEM},
    "PublishFirmware": {"location": "https://f.test/x", "checksum": "c", "requestId": 1},
    "RequestStartTransaction": {"idToken": TOKEN, "remoteStartId": 1},
    "RequestStopTransaction": {"transactionId": "x"},
    "ReserveNow": {"id": 1, "expiryDateTime": LATER, "idToken": TOKEN},
    "Reset": {"type": "OnIdle"},
    "SendLocalList": {"versionNumber": 1, "updateType": "Full"},
    "SetChargingProfile": {"evseId": 1, "chargingProfile": profile_v2()},
    "SetDisplayMessage": {
        "message": {"id": 1, "priority": "InFront", "message": {"format": "ASCII", "content": "hello"}}
    },
    "SetMonitoringBase": {"monitoringBase": "All"},
    "SetMonitoringLevel": {"severity": 4},
    "SetNetworkProfile": {
        "configurationSlot": 1,
        "connectionData": {
            "ocppVersion": "OCPP20",
            "ocppTransport": "JSON",
            "ocppCsmsUrl": "wss://c.test",
            "messageTimeout": 30,
            "securityProfile": 2,
            "ocppInterface": "Wired0",
        },
    },
    "SetVariableMonitoring": {"setMonitoringData": [VARIABLE | {"value": 1, "type": "Delta", "severity": 4}]},
    "SetVariables": {"setVariableData": [VARIABLE | {"attributeValue": "60"}]},
    "TriggerMessage": {"requestedMessage": "Heartbeat"},
    "UnlockConnector": {"evseId": 1, "connectorId": 1},
    "UnpublishFirmware": {"checksum": "c"},
    "UpdateFirmware": {"requestId": 1, "firmware": FIRMWARE},
}
TARIFF = {"tariffId": "t", "currency": "EUR"}
V21: dict[str, Any] = V201 | {
    "AFRRSignal": {"timestamp": LATER, "signal": 1},
    "AdjustPeriodicEventStream": {"id": 1, "params": {}},
    "ChangeTransactionTariff": {"transactionId": "x", "tariff": TARIFF},
    "ClearDERControl": {"isDefault": False},
    "ClearTariffs": {"tariffIds": ["t"]},
    "GetDERControl": {"requestId": 1},
    "GetPeriodicEventStream": {},
    "GetTariffs": {"evseId": 0},
    "NotifyAllowedEnergyTransfer": {"transactionId": "x", "allowedEnergyTransfer": ["DC"]},
    "NotifyWebPaymentStarted": {"evseId": 1, "timeout": 60},
    "RequestBatterySwap": {"idToken": TOKEN, "requestId": 1},
    "SetDERControl": {"isDefault": True, "controlId": "c", "controlType": "VoltVar"},
    "SetDefaultTariff": {"evseId": 1, "tariff": TARIFF},
    "UpdateDynamicSchedule": {"chargingProfileId": 1, "scheduleUpdate": {}},
    "UsePriorityCharging": {"transactionId": "x", "activate": True},
}
COMMANDS = {"1.6": V16, "2.0.1": V201, "2.1": V21}
FROM_STATIONS = {
    "Authorize", "BatterySwap", "BootNotification", "ClearedChargingLimit", "ClosePeriodicEventStream",
    "DiagnosticsStatusNotification", "FirmwareStatusNotification", "Get15118EVCertificate",
    "GetCertificateChainStatus", "GetCertificateStatus", "Heartbeat", "LogStatusNotification", "MeterValues",
    "NotifyChargingLimit", "NotifyCustomerInformation", "NotifyDERAlarm", "NotifyDERStartStop",
    "NotifyDisplayMessages", "NotifyEVChargingNeeds", "NotifyEVChargingSchedule", "NotifyEvent",
    "NotifyMonitoringReport", "NotifyPriorityCharging", "NotifyReport", "NotifySettlement",
    "OpenPeriodicEventStream", "PublishFirmwareStatusNotification", "PullDynamicScheduleUpdate",
    "ReportChargingProfiles", "ReportDERControl", "ReservationStatusUpdate", "SecurityEventNotification",
    "SignCertificate", "SignedFirmwareStatusNotification", "StartTransaction", "StatusNotification",
    "StopTransaction", "TransactionEvent", "VatNumberValidation",
}  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
def test_the_table_holds_every_command_of_the_version(version: str) -> None:
    folder = Path(ocpp.__file__).parent / f"v{version.replace('.', '')}" / "schemas"
    all_actions = {path.stem.removesuffix("Response") for path in folder.glob("*Response.json")}

    assert set(DIALECTS[version].commands) == all_actions - FROM_STATIONS == set(COMMANDS[version])


@pytest.mark.parametrize(
    ("version", "action"), [(version, action) for version in VERSIONS for action in COMMANDS[version]]
)
async def test_a_command_is_answered_idle_and_charging(
    csms: Csms, make_station: MakeStation, version: str, action: str
) -> None:
    station = make_station(csms, version=version, meter_interval=0)
    await station.start()
    idle = await csms.command("SIM-0001", action, COMMANDS[version][action])
    await csms.until(lambda: "SIM-0001" in csms.sockets)
    await station.wait_ready()
    if not station.charges and station.connectors[1].free:
        await station.plug_in_and_charge(id_token="ABC")
    await csms.until(lambda: "SIM-0001" in csms.sockets)
    again = await csms.command("SIM-0001", action, COMMANDS[version][action])

    assert isinstance(idle, dict)
    assert isinstance(again, dict)


@pytest.mark.parametrize("version", VERSIONS)
async def test_an_unknown_command_is_not_implemented(csms: Csms, make_station: MakeStation, version: str) -> None:
    station = make_station(csms, version=version)
    await station.start()

    assert await csms.command("SIM-0001", "BrewCoffee", {}, check=False) == "NotImplemented"


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_command_that_cannot_be_read_is_refused_and_harms_nothing(
    csms: Csms, make_station: MakeStation, version: str
) -> None:
    station = make_station(csms, version=version)
    await station.start()
    violation = "FormationViolation" if version == "1.6" else "FormatViolation"

    assert await csms.command("SIM-0001", "Reset", {}, check=False) == violation
    assert await csms.command("SIM-0001", "TriggerMessage", {"requestedMessage": "Heartbeat"}) == {"status": "Accepted"}
