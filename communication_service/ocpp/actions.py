"""Which actions each version knows, and who may send them: the schemas do not tell the direction.

OCPP 1.6 §4 and §5 with the security whitepaper §4; OCPP 2.0.1 and 2.1 part 2, "Messages".
"""

from enum import StrEnum

from communication_service.ocpp.errors import Fault, Refusal
from communication_service.ocpp.versions import Version


class Direction(StrEnum):
    """Who sends the request of an action."""

    FROM_STATION = "from_station"
    FROM_CSMS = "from_csms"
    BOTH = "both"


_FROM_STATION: dict[Version, str] = {
    Version.V16: """
        Authorize BootNotification DiagnosticsStatusNotification FirmwareStatusNotification Heartbeat
        LogStatusNotification MeterValues SecurityEventNotification SignCertificate
        SignedFirmwareStatusNotification StartTransaction StatusNotification StopTransaction""",
    Version.V201: """
        Authorize BootNotification ClearedChargingLimit FirmwareStatusNotification Get15118EVCertificate
        GetCertificateStatus Heartbeat LogStatusNotification MeterValues NotifyChargingLimit
        NotifyCustomerInformation NotifyDisplayMessages NotifyEVChargingNeeds NotifyEVChargingSchedule
        NotifyEvent NotifyMonitoringReport NotifyReport PublishFirmwareStatusNotification
        ReportChargingProfiles ReservationStatusUpdate SecurityEventNotification SignCertificate
        StatusNotification TransactionEvent""",
}
_FROM_CSMS: dict[Version, str] = {
    Version.V16: """
        CancelReservation CertificateSigned ChangeAvailability ChangeConfiguration ClearCache
        ClearChargingProfile DeleteCertificate ExtendedTriggerMessage GetCompositeSchedule GetConfiguration
        GetDiagnostics GetInstalledCertificateIds GetLocalListVersion GetLog InstallCertificate
        RemoteStartTransaction RemoteStopTransaction ReserveNow Reset SendLocalList SetChargingProfile
        SignedUpdateFirmware TriggerMessage UnlockConnector UpdateFirmware""",
    Version.V201: """
        CancelReservation CertificateSigned ChangeAvailability ClearCache ClearChargingProfile
        ClearDisplayMessage ClearVariableMonitoring CostUpdated CustomerInformation DeleteCertificate
        GetBaseReport GetChargingProfiles GetCompositeSchedule GetDisplayMessages GetInstalledCertificateIds
        GetLocalListVersion GetLog GetMonitoringReport GetReport GetTransactionStatus GetVariables
        InstallCertificate PublishFirmware RequestStartTransaction RequestStopTransaction ReserveNow Reset
        SendLocalList SetChargingProfile SetDisplayMessage SetMonitoringBase SetMonitoringLevel
        SetNetworkProfile SetVariableMonitoring SetVariables TriggerMessage UnlockConnector
        UnpublishFirmware UpdateFirmware""",
}
_FROM_STATION[Version.V21] = f"""{_FROM_STATION[Version.V201]}
        BatterySwap ClosePeriodicEventStream GetCertificateChainStatus NotifyDERAlarm NotifyDERStartStop
        NotifyPeriodicEventStream NotifyPriorityCharging NotifySettlement OpenPeriodicEventStream
        PullDynamicScheduleUpdate ReportDERControl VatNumberValidation"""
_FROM_CSMS[Version.V21] = f"""{_FROM_CSMS[Version.V201]}
        AFRRSignal AdjustPeriodicEventStream ChangeTransactionTariff ClearDERControl ClearTariffs
        GetDERControl GetPeriodicEventStream GetTariffs NotifyAllowedEnergyTransfer NotifyWebPaymentStarted
        RequestBatterySwap SetDERControl SetDefaultTariff UpdateDynamicSchedule UsePriorityCharging"""

SENT_WITHOUT_ANSWER = frozenset({"NotifyPeriodicEventStream"})
"""Actions of 2.1 that travel as SEND, never as CALL (OCPP-J 2.1 §4.2.4)."""

KNOWN: dict[Version, dict[str, Direction]] = {
    version: dict.fromkeys(_FROM_STATION[version].split(), Direction.FROM_STATION)
    | dict.fromkeys(_FROM_CSMS[version].split(), Direction.FROM_CSMS)
    | {"DataTransfer": Direction.BOTH}
    for version in Version
}
"""Every action of a version with its direction."""


def direction(version: Version, action: str) -> Direction | None:
    """Who sends an action in this version; None if the version does not know it."""
    return KNOWN[version].get(action)


def refuse(version: Version, action: str) -> Refusal | None:
    """Why a station may not CALL this action; None if it may.

    An action the version does not know is NotImplemented; one that is known, but is ours to send or travels
    as SEND, is NotSupported.
    """
    match KNOWN[version].get(action):
        case None:
            return Refusal(Fault.UNKNOWN_ACTION, f"{action} is not an action of OCPP {version}")
        case Direction.FROM_CSMS:
            return Refusal(Fault.UNSUPPORTED_ACTION, f"{action} is sent by the CSMS only")
        case _ if action in SENT_WITHOUT_ANSWER:
            return Refusal(Fault.UNSUPPORTED_ACTION, f"{action} travels as SEND only")
    return None
