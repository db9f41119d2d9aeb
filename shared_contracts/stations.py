"""What charging stations report: facts that the edge publishes, in the domain's words.

Owner: communication_service. OCPP names stop at the edge; times are the station's own, or the time of receipt
where the station gave none that can be trusted (`flags` then says so).
"""

from enum import StrEnum
from typing import ClassVar

from shared_contracts.message import Event, JsonObject, StationId, UtcTime, Value


class ConnectorStatus(StrEnum):
    """The state of a connector: OCPP 2.0.1 ConnectorStatusEnumType, and 1.6's finer states of an occupied one."""

    AVAILABLE = "available"
    OCCUPIED = "occupied"
    PREPARING = "preparing"
    CHARGING = "charging"
    SUSPENDED_EV = "suspended_ev"
    SUSPENDED_EVSE = "suspended_evse"
    FINISHING = "finishing"
    RESERVED = "reserved"
    UNAVAILABLE = "unavailable"
    FAULTED = "faulted"
    UNKNOWN = "unknown"


POD_SILENT = "pod_silent"
"""The reason of a disconnection that was concluded from the silence of the pod, and may be taken back."""


class StationConnected(Event):
    """A station opened a connection and was admitted; the highest epoch is the living connection.

    `password_name` tells which of its passwords it used, None if none (`charge_points.password_name`);
    `access_revision` is that of the access by which it was admitted. `heard_again_at` takes a disconnection back that
    was concluded from the silence of the pod: it is later than that, and a later silence is later still.
    """

    key: ClassVar[str] = "stations.connected.v1"
    station_id: StationId
    epoch: int
    pod_id: str
    ocpp_version: str
    security_profile: int
    remote_address: str | None = None
    connected_at: UtcTime
    password_name: str | None = None
    access_revision: int = 0
    heard_again_at: UtcTime | None = None


class StationDisconnected(Event):
    """The connection with this epoch is gone."""

    key: ClassVar[str] = "stations.disconnected.v1"
    station_id: StationId
    epoch: int
    pod_id: str
    close_code: int | None = None
    reason: str = ""
    disconnected_at: UtcTime


class StationsSeen(Event):
    """The pod lives, and these are the stations it heard from since it last said so (coalesced, every few seconds)."""

    key: ClassVar[str] = "stations.seen.v1"
    pod_id: str
    seen_at: UtcTime
    last_seen_at: dict[str, UtcTime] = {}


class Frame(Value):
    """One OCPP frame as it was on the wire, secrets redacted. `direction` is `in` (from the station) or `out`."""

    station_id: StationId
    direction: str
    at: UtcTime
    text: str


class FramesRecorded(Event):
    """Raw frames for debugging, from all stations of a pod; not part of what a station is acknowledged for."""

    key: ClassVar[str] = "stations.frames_recorded.v1"
    frames: tuple[Frame, ...]


class StatusReported(Event):
    """A connector changed its state. `connector_id` 0 is the station itself in 1.6; `evse_id` is absent in 1.6."""

    key: ClassVar[str] = "stations.status_reported.v1"
    station_id: StationId
    evse_id: int | None = None
    connector_id: int
    status: ConnectorStatus
    raw_status: str
    error_code: str | None = None
    info: str | None = None
    vendor_id: str | None = None
    vendor_error_code: str | None = None
    reported_at: UtcTime
    flags: tuple[str, ...] = ()


class SampledValue(Value):
    """One measured value as the station sent it: the number stays text, since stations send what they like."""

    value: str
    measurand: str = "Energy.Active.Import.Register"
    unit: str | None = None
    phase: str | None = None
    location: str | None = None
    context: str | None = None


class MeterReading(Value):
    """What a meter showed at one moment. The total energy, power and charge level are taken out in fixed units."""

    sampled_at: UtcTime
    energy_wh: int | None = None
    power_w: int | None = None
    state_of_charge_percent: float | None = None
    values: tuple[SampledValue, ...] = ()
    flags: tuple[str, ...] = ()


class MetersSampled(Event):
    """Readings of a connector or EVSE, in or outside a transaction (`transaction_ref`: the id the station used)."""

    key: ClassVar[str] = "stations.meters_sampled.v1"
    station_id: StationId
    evse_id: int | None = None
    connector_id: int | None = None
    transaction_ref: str | None = None
    readings: tuple[MeterReading, ...]
    flags: tuple[str, ...] = ()


class FirmwareStatusReported(Event):
    """How a firmware update goes. `status` is OCPP's word; `request_id` is absent in plain 1.6."""

    key: ClassVar[str] = "stations.firmware_status_reported.v1"
    station_id: StationId
    status: str
    request_id: int | None = None
    reported_at: UtcTime


class LogStatusReported(Event):
    """How a log or diagnostics upload goes."""

    key: ClassVar[str] = "stations.log_status_reported.v1"
    station_id: StationId
    status: str
    request_id: int | None = None
    reported_at: UtcTime


class SecurityEventReported(Event):
    """A security event of the station (OCPP 2.0.1 A04, 1.6 security whitepaper)."""

    key: ClassVar[str] = "stations.security_event_reported.v1"
    station_id: StationId
    type: str
    tech_info: str | None = None
    reported_at: UtcTime


class ReportedVariable(Value):
    """A variable (2.x) or configuration key (1.6, `component` None) with its value.

    `status` is OCPP's word for how reading or changing it went, where that was asked for; UnknownVariable also for 1.6.
    """

    component: str | None = None
    component_instance: str | None = None
    evse_id: int | None = None
    connector_id: int | None = None
    name: str
    instance: str | None = None
    attribute: str = "Actual"
    value: str | None = None
    read_only: bool = False
    status: str | None = None


class VariablesReported(Event):
    """Part of a report that the station was asked for (2.x NotifyReport)."""

    key: ClassVar[str] = "stations.variables_reported.v1"
    station_id: StationId
    request_id: int | None = None
    sequence_number: int = 0
    more_to_come: bool = False
    variables: tuple[ReportedVariable, ...]
    reported_at: UtcTime


class StationNotified(Event):
    """Any other notification of a station, kept as it came: OCPP's action and payload."""

    key: ClassVar[str] = "stations.notified.v1"
    station_id: StationId
    ocpp_version: str
    action: str
    payload: JsonObject
    reported_at: UtcTime
