"""The configuration keys of an OCPP 1.6 station (OCPP 1.6 §9)."""

from simulator.variables import Variable


def configuration_keys(connectors: int) -> list[Variable]:
    """Return the keys with their first values."""
    return [
        Variable("HeartbeatInterval", "integer", setting="heartbeat_s"),
        Variable("MeterValueSampleInterval", "integer", setting="meter_interval_s"),
        Variable("MeterValuesSampledData", setting="measurands"),
        Variable("TransactionMessageAttempts", "integer", setting="message_attempts"),
        Variable("TransactionMessageRetryInterval", "integer", setting="message_retry_s"),
        Variable("AuthorizeRemoteTxRequests", "boolean", setting="authorize_remote_start"),
        Variable("StopTransactionOnInvalidId", "boolean", setting="stop_on_invalid_id"),
        Variable("NumberOfConnectors", "integer", str(connectors), readonly=True),
        Variable("ConnectionTimeOut", "integer", "60"),
        Variable("ClockAlignedDataInterval", "integer", "0"),
        Variable("LocalAuthorizeOffline", "boolean", "true"),
        Variable("LocalPreAuthorize", "boolean", "false"),
        Variable("LocalAuthListEnabled", "boolean", "true"),
        Variable("LocalAuthListMaxLength", "integer", "1000", readonly=True),
        Variable("ResetRetries", "integer", "1"),
        Variable("StopTransactionOnEVSideDisconnect", "boolean", "true"),
        Variable("StopTxnAlignedData"),
        Variable("StopTxnSampledData"),
        Variable("UnlockConnectorOnEVSideDisconnect", "boolean", "true"),
        Variable("WebSocketPingInterval", "integer", "0"),
        Variable("SecurityProfile", "integer", "0", needs_reboot=True),
        Variable("AuthorizationKey", write_only=True),
        Variable("CpoName", value="Simulated"),
        Variable("ChargeProfileMaxStackLevel", "integer", "10", readonly=True),
        Variable("ChargingScheduleAllowedChargingRateUnit", value="Current,Power", readonly=True),
        Variable("ChargingScheduleMaxPeriods", "integer", "24", readonly=True),
        Variable("MaxChargingProfilesInstalled", "integer", "10", readonly=True),
        Variable(
            "SupportedFeatureProfiles",
            value="Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger",
            readonly=True,
        ),
    ]
