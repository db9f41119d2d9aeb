"""Charging stations as the operator knows them. Owner: modules/charge_points."""

from enum import StrEnum
from typing import ClassVar

from shared_contracts.commands import Command, CommandOutcome
from shared_contracts.message import Event, JsonObject, Reply, Request, StationId, UtcTime
from shared_contracts.stations import ReportedVariable


class Registration(StrEnum):
    """Whether a station may operate (OCPP RegistrationStatus)."""

    ACCEPTED = "accepted"
    PENDING = "pending"
    REJECTED = "rejected"


class StationAccess(Reply):
    """What the edge needs to admit a station. `password_hash` is hex SHA-256 of salt + password bytes.

    `known` is False for a station that nobody registered and that the settings do not let register itself.
    `security_profile` 0 admits without credentials: only for stations marked so.
    """

    known: bool
    registration: Registration = Registration.REJECTED
    security_profile: int = 1
    password_salt: str = ""
    password_hash: str = ""


class GetStationAccess(Request[StationAccess]):
    """May this station connect, and how must it prove who it is?"""

    key: ClassVar[str] = "charge_points.get_station_access.v1"
    station_id: StationId


class StationAccessChanged(Event):
    """Credentials, profile or registration changed: pods forget what they remembered of the station."""

    key: ClassVar[str] = "charge_points.access_changed.v1"
    station_id: StationId


class BootAnswered(Reply):
    """The registration status and the heartbeat (or retry) interval."""

    registration: Registration
    interval_s: int


class BootStation(Request[BootAnswered]):
    """A station started and says what it is."""

    key: ClassVar[str] = "charge_points.boot.v1"
    station_id: StationId
    ocpp_version: str
    vendor: str
    model: str
    serial_number: str | None = None
    firmware_version: str | None = None
    iccid: str | None = None
    imsi: str | None = None
    meter_type: str | None = None
    meter_serial_number: str | None = None
    reason: str | None = None
    booted_at: UtcTime


class StationBooted(Event):
    """A station booted; what it said of itself is stored."""

    key: ClassVar[str] = "charge_points.booted.v1"
    station_id: StationId
    registration: Registration
    vendor: str
    model: str
    firmware_version: str | None = None
    booted_at: UtcTime


class StationRegistered(Event):
    """A station became known."""

    key: ClassVar[str] = "charge_points.registered.v1"
    station_id: StationId
    registration: Registration


class StationRemoved(Event):
    """An operator removed a station."""

    key: ClassVar[str] = "charge_points.removed.v1"
    station_id: StationId


class DataReceived(Reply):
    """The answer to a DataTransfer: OCPP's status and data."""

    status: str
    data: str | None = None


class ReceiveData(Request[DataReceived]):
    """A station sent vendor-specific data (OCPP DataTransfer)."""

    key: ClassVar[str] = "charge_points.receive_data.v1"
    station_id: StationId
    vendor_id: str
    message_id: str | None = None
    data: str | None = None


class CommandIssued(Reply):
    """The command as recorded, and its outcome if it came within the wait."""

    command_id: str
    outcome: CommandOutcome | None = None
    status: str | None = None
    payload: JsonObject = {}
    variables: tuple[ReportedVariable, ...] = ()
    error_code: str | None = None
    error_description: str | None = None


class IssueCommand(Request[CommandIssued]):
    """Record a command for a station, send it, and wait up to `wait_s` for the outcome."""

    key: ClassVar[str] = "charge_points.issue_command.v1"
    station_id: StationId
    command: Command
    issued_by: str
    idempotency_key: str | None = None
    timeout_s: float = 30.0
    wait_s: float = 10.0


class CommandCompleted(Event):
    """A command ended; `command` is what was asked."""

    key: ClassVar[str] = "charge_points.command_completed.v1"
    command_id: str
    station_id: StationId
    command: Command
    outcome: CommandOutcome
    status: str | None = None
    payload: JsonObject = {}
    variables: tuple[ReportedVariable, ...] = ()
    issued_by: str
    completed_at: UtcTime
