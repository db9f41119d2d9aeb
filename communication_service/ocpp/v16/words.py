"""The words of 1.6 that are flagged when a station uses others (§7)."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ERROR_CODES = _words("""
    ConnectorLockFailure EVCommunicationError GroundFailure HighTemperature InternalError LocalListConflict
    NoError OtherError OverCurrentFailure OverVoltage PowerMeterFailure PowerSwitchFailure ReaderFailure
    ResetFailure UnderVoltage WeakSignal
""")
"""ChargePointErrorCode, §7.6."""
MEASURANDS = _words("""
    Current.Export Current.Import Current.Offered Energy.Active.Export.Interval Energy.Active.Export.Register
    Energy.Active.Import.Interval Energy.Active.Import.Register Energy.Reactive.Export.Interval
    Energy.Reactive.Export.Register Energy.Reactive.Import.Interval Energy.Reactive.Import.Register Frequency
    Power.Active.Export Power.Active.Import Power.Factor Power.Offered Power.Reactive.Export
    Power.Reactive.Import RPM SoC Temperature Voltage
""")
"""Measurand, §7.31."""
REASONS = _words("""
    DeAuthorized EVDisconnected EmergencyStop HardReset Local Other PowerLoss Reboot Remote SoftReset
    UnlockCommand
""")
"""Reason, §7.36."""
