"""The words of 2.x that are flagged when a station uses others: those of 2.1, which has all of 2.0.1."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CHARGING_STATES = _words("""
    Charging EVConnected Idle SuspendedEV SuspendedEVSE
""")
"""ChargingStateEnumType."""
MEASURANDS = _words("""
    Current.Export Current.Export.Minimum Current.Export.Offered Current.Import Current.Import.Minimum
    Current.Import.Offered Current.Offered Display.BatteryEnergyCapacity Display.ChargingComplete
    Display.InletHot Display.MaximumSOC Display.MinimumSOC Display.PresentSOC Display.RemainingTimeToMaximumSOC
    Display.RemainingTimeToMinimumSOC Display.RemainingTimeToTargetSOC Display.TargetSOC
    Energy.Active.Export.Interval Energy.Active.Export.Register Energy.Active.Import.CableLoss
    Energy.Active.Import.Interval Energy.Active.Import.LocalGeneration.Register Energy.Active.Import.Register
    Energy.Active.Net Energy.Active.Setpoint.Interval Energy.Apparent.Export Energy.Apparent.Import
    Energy.Apparent.Net Energy.Reactive.Export.Interval Energy.Reactive.Export.Register
    Energy.Reactive.Import.Interval Energy.Reactive.Import.Register Energy.Reactive.Net EnergyRequest.Bulk
    EnergyRequest.Maximum EnergyRequest.Maximum.V2X EnergyRequest.Minimum EnergyRequest.Minimum.V2X
    EnergyRequest.Target Frequency Power.Active.Export Power.Active.Import Power.Active.Residual
    Power.Active.Setpoint Power.Export.Minimum Power.Export.Offered Power.Factor Power.Import.Minimum
    Power.Import.Offered Power.Offered Power.Reactive.Export Power.Reactive.Import SoC Voltage Voltage.Maximum
    Voltage.Minimum
""")
"""MeasurandEnumType."""
STOPPED_REASONS = _words("""
    DeAuthorized EVDisconnected EmergencyStop EnergyLimitReached GroundFault ImmediateReset Local
    LocalOutOfCredit MasterPass Other OvercurrentFault PowerLoss PowerQuality Reboot Remote
    ReqEnergyTransferRejected SOCLimitReached StoppedByEV TimeLimitReached Timeout
""")
"""ReasonEnumType."""
TRIGGER_REASONS = _words("""
    AbnormalCondition Authorized CablePluggedIn ChargingRateChanged ChargingStateChanged CostLimitReached
    Deauthorized EVCommunicationLost EVConnectTimeout EVDeparted EVDetected EnergyLimitReached LimitSet
    MeterValueClock MeterValuePeriodic OperationModeChanged RemoteStart RemoteStop ResetCommand RunningCost
    SignedDataReceived SoCLimitReached StopAuthorized TariffChanged TariffNotAccepted TimeLimitReached Trigger
    TxResumed UnlockCommand
""")
"""TriggerReasonEnumType."""
TRIGGERS = _words("""
    BootNotification CustomTrigger FirmwareStatusNotification Heartbeat LogStatusNotification MeterValues
    PublishFirmwareStatusNotification SignChargingStationCertificate SignCombinedCertificate
    SignV2G20Certificate SignV2GCertificate StatusNotification TransactionEvent
""")
"""MessageTriggerEnumType."""
