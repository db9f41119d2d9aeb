"""Charging stations as the operator knows them. Owner: modules/charge_points."""

import hashlib
from enum import StrEnum
from typing import ClassVar

from shared_contracts.commands import Command, CommandAnswered, CommandOutcome
from shared_contracts.message import Event, JsonObject, Reply, Request, StationId, UtcTime, Value
from shared_contracts.stations import ReportedVariable


class Registration(StrEnum):
    """Whether a station may operate (OCPP RegistrationStatus)."""

    ACCEPTED = "accepted"
    PENDING = "pending"
    REJECTED = "rejected"


class HashedPassword(Value):
    """A station's password as it is kept: `hash` is hex SHA-256 of the salt and the password's bytes."""

    salt: str
    hash: str

    @property
    def name(self) -> str:
        """See `password_name`."""
        return password_name(self.salt)


def password_name(salt: str) -> str:
    """What tells a station's password from its others where anybody may read it: 16 digits that give away nothing."""
    return hashlib.sha256(b"name of " + salt.encode()).hexdigest()[:16]


class StationAccess(Reply):
    """What the edge needs to admit a station.

    `known` is False for a station that nobody registered and that the settings do not let register itself.
    `security_profile` 0 admits without credentials: only for stations marked so. A certificate (profile 3) must have
    the common name `certificate_common_name`, the station's identity where that is None, and where it is set the
    SHA-256 fingerprint `certificate_fingerprint`, in lower-case hexadecimal.

    `time_zone` is the IANA name of the zone that the station's times are in where they name none; None is UTC.

    `last_epoch` is the highest of its connections so far: the next is to be higher, whatever the clock of the pod says.

    While a password is being replaced, both are among `passwords`; while a profile is being raised, both are among
    `accepted_profiles`, which is empty if there is `security_profile` alone. `password_salt` and `password_hash` are
    the first of `passwords`, for pods of a release that knows one only. `revision` counts what began and ended so.
    """

    known: bool
    registration: Registration = Registration.REJECTED
    security_profile: int = 1
    password_salt: str = ""
    password_hash: str = ""
    passwords: tuple[HashedPassword, ...] = ()
    accepted_profiles: tuple[int, ...] = ()
    revision: int = 0
    certificate_common_name: str | None = None
    certificate_fingerprint: str | None = None
    last_epoch: int = 0
    time_zone: str | None = None


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
    """A station booted; what it said of itself is stored. One that repeats itself is told once a minute."""

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
    """An operator removed a station. What was told of it since `removed_at` is of one that was registered anew."""

    key: ClassVar[str] = "charge_points.removed.v1"
    station_id: StationId
    removed_at: UtcTime | None = None


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


class CommandNoted(Reply):
    """The answer of a station is stored; `known` is False for a command that is not, or no longer, waited for."""

    known: bool


class CompleteCommand(Request[CommandNoted]):
    """A station answered a command after nobody waited any more. No event: the answer may hold secrets."""

    key: ClassVar[str] = "charge_points.complete_command.v1"
    station_id: StationId
    command_id: str
    answer: CommandAnswered


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
