"""The device model of an OCPP 2.x station, small but real (OCPP 2.0.1 part 2, referenced components)."""

from simulator.variables import Variable


def device_model(connectors: int) -> list[Variable]:
    """Return the variables, named `Component/Variable/instance`, with their first values."""
    return [
        Variable("OCPPCommCtrlr/HeartbeatInterval", "integer", setting="heartbeat_s"),
        Variable("OCPPCommCtrlr/MessageAttempts/TransactionEvent", "integer", setting="message_attempts"),
        Variable("OCPPCommCtrlr/MessageAttemptInterval/TransactionEvent", "integer", setting="message_retry_s"),
        Variable("OCPPCommCtrlr/MessageTimeout/Default", "integer", setting="message_timeout_s"),
        Variable("OCPPCommCtrlr/RetryBackOffWaitMinimum", "integer", setting="backoff_minimum_s"),
        Variable("OCPPCommCtrlr/RetryBackOffRandomRange", "integer", setting="backoff_random_s"),
        Variable("OCPPCommCtrlr/RetryBackOffRepeatTimes", "integer", setting="backoff_repeats"),
        Variable("OCPPCommCtrlr/OfflineThreshold", "integer", "60"),
        Variable("OCPPCommCtrlr/WebSocketPingInterval", "integer", "0"),
        Variable("OCPPCommCtrlr/NetworkConfigurationPriority", "SequenceList", "1", needs_reboot=True),
        Variable("SampledDataCtrlr/TxUpdatedInterval", "integer", setting="meter_interval_s"),
        Variable("SampledDataCtrlr/TxUpdatedMeasurands", "MemberList", setting="measurands"),
        Variable("AlignedDataCtrlr/Interval", "integer", "0"),
        Variable("AuthCtrlr/AuthorizeRemoteStart", "boolean", setting="authorize_remote_start"),
        Variable("AuthCtrlr/LocalAuthorizeOffline", "boolean", "true"),
        Variable("AuthCtrlr/LocalPreAuthorize", "boolean", "false"),
        Variable("LocalAuthListCtrlr/Enabled", "boolean", "true"),
        Variable("LocalAuthListCtrlr/ItemsPerMessage", "integer", "100", readonly=True),
        Variable("TxCtrlr/StopTxOnInvalidId", "boolean", setting="stop_on_invalid_id"),
        Variable("TxCtrlr/StopTxOnEVSideDisconnect", "boolean", "true"),
        Variable("TxCtrlr/TxStartPoint", "MemberList", "Authorized"),
        Variable("TxCtrlr/TxStopPoint", "MemberList", "Authorized"),
        Variable("TxCtrlr/EVConnectionTimeOut", "integer", "60"),
        Variable("DeviceDataCtrlr/ItemsPerMessage/GetReport", "integer", "100", readonly=True),
        Variable("DeviceDataCtrlr/ItemsPerMessage/GetVariables", "integer", "100", readonly=True),
        Variable("DeviceDataCtrlr/ItemsPerMessage/SetVariables", "integer", "100", readonly=True),
        Variable("SecurityCtrlr/BasicAuthPassword", write_only=True),
        Variable("SecurityCtrlr/OrganizationName", value="Simulated"),
        Variable("SecurityCtrlr/SecurityProfile", "integer", "1", readonly=True),
        Variable("ChargingStation/AvailabilityState", "OptionList", "Available", readonly=True),
        Variable("ChargingStation/Connectors", "integer", str(connectors), readonly=True),
        Variable("ClockCtrlr/TimeSource", "SequenceList", "Heartbeat"),
    ]
