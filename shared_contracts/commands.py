"""What stations can be told, version-neutral: the edge turns a command into OCPP 1.6, 2.0.1 or 2.1.

Owner: communication_service; the handler is the pod that holds the station's connection.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from shared_contracts.message import JsonObject, Reply, Request, StationId, UtcTime, Value
from shared_contracts.stations import ReportedVariable


class CommandOutcome(StrEnum):
    """How a command ended. `timed_out` means unknown: it must not be repeated blindly."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FAILED = "failed"
    INVALID = "invalid"
    TIMED_OUT = "timed_out"
    EXPIRED = "expired"
    OFFLINE = "offline"


class ChargingPeriod(Value):
    """From `start_s` after the schedule's start, at most `limit` (in the schedule's unit)."""

    start_s: int = Field(ge=0)
    limit: Decimal = Field(ge=0)
    number_phases: int | None = Field(default=None, ge=1, le=3)


class ChargingProfile(Value):
    """Limits that a station applies to an EVSE (OCPP 2.0.1 ChargingProfileType, with one schedule)."""

    id: int
    stack_level: int = Field(default=0, ge=0)
    purpose: Literal["station_max", "tx_default", "tx"] = "tx_default"
    kind: Literal["absolute", "recurring", "relative"] = "absolute"
    recurrency: Literal["daily", "weekly"] | None = None
    valid_from: UtcTime | None = None
    valid_to: UtcTime | None = None
    transaction_ref: str | None = None
    unit: Literal["A", "W"] = "A"
    start_at: UtcTime | None = None
    duration_s: int | None = Field(default=None, ge=0)
    min_charging_rate: Decimal | None = None
    periods: tuple[ChargingPeriod, ...] = Field(min_length=1)


class Tagged(Value):
    """One of several commands. Its `type` is always written: messages leave defaults out, and this one tells which."""

    type: str

    @model_serializer(mode="wrap")
    def _with_type(self, write: SerializerFunctionWrapHandler) -> JsonObject:
        return {"type": self.type, **write(self)}


class StartCharging(Tagged):
    """Start a transaction for an id token (1.6 RemoteStartTransaction, 2.x RequestStartTransaction)."""

    type: Literal["start_charging"] = "start_charging"
    id_token: str = Field(min_length=1, max_length=255)
    token_type: str = "ISO14443"
    evse_id: int | None = Field(default=None, ge=1)
    connector_id: int | None = Field(default=None, ge=1)
    remote_start_id: int | None = None
    charging_profile: ChargingProfile | None = None


class StopCharging(Tagged):
    """Stop a transaction by the id the station knows it by."""

    type: Literal["stop_charging"] = "stop_charging"
    transaction_ref: str


class ResetStation(Tagged):
    """Restart the station: at once (1.6 Hard) or when its transactions have ended (1.6 Soft)."""

    type: Literal["reset"] = "reset"
    when: Literal["immediate", "on_idle"] = "on_idle"
    evse_id: int | None = None


class UnlockConnector(Tagged):
    """Release the cable."""

    type: Literal["unlock_connector"] = "unlock_connector"
    evse_id: int = Field(default=1, ge=1)
    connector_id: int = Field(default=1, ge=1)


class TriggerMessage(Tagged):
    """Ask the station to send a message now; `message` is OCPP's name, as in MessageTriggerEnumType."""

    type: Literal["trigger_message"] = "trigger_message"
    message: str = Field(min_length=1, max_length=100)
    evse_id: int | None = None
    connector_id: int | None = None


class ChangeAvailability(Tagged):
    """Take a station, EVSE or connector in or out of service."""

    type: Literal["change_availability"] = "change_availability"
    operative: bool
    evse_id: int | None = None
    connector_id: int | None = None


class VariableName(Value):
    """Names a variable (2.x) or, without a component, a configuration key (1.6)."""

    component: str | None = None
    component_instance: str | None = None
    evse_id: int | None = None
    connector_id: int | None = None
    name: str = Field(min_length=1, max_length=50)
    instance: str | None = None
    attribute: str = "Actual"


class VariableChange(VariableName):
    """A value to set."""

    value: str = Field(max_length=2500)


class GetVariables(Tagged):
    """Read variables; none named means all (2.x answers with reports afterwards)."""

    type: Literal["get_variables"] = "get_variables"
    variables: tuple[VariableName, ...] = ()
    request_id: int | None = None


class SetVariables(Tagged):
    """Change variables or configuration keys."""

    type: Literal["set_variables"] = "set_variables"
    variables: tuple[VariableChange, ...] = Field(min_length=1)


class SetChargingProfile(Tagged):
    """Install a charging profile; EVSE 0 is the whole station."""

    type: Literal["set_charging_profile"] = "set_charging_profile"
    evse_id: int = Field(default=0, ge=0)
    profile: ChargingProfile


class ClearChargingProfile(Tagged):
    """Remove the profiles that match all that is given."""

    type: Literal["clear_charging_profile"] = "clear_charging_profile"
    profile_id: int | None = None
    evse_id: int | None = None
    purpose: Literal["station_max", "tx_default", "tx"] | None = None
    stack_level: int | None = None


class UpdateFirmware(Tagged):
    """Have the station fetch and install firmware."""

    type: Literal["update_firmware"] = "update_firmware"
    location: str = Field(min_length=1, max_length=512)
    retrieve_at: UtcTime
    install_at: UtcTime | None = None
    retries: int | None = Field(default=None, ge=0)
    retry_interval_s: int | None = Field(default=None, ge=0)
    request_id: int
    signing_certificate: str | None = None
    signature: str | None = None


class GetLog(Tagged):
    """Have the station upload its diagnostics or security log."""

    type: Literal["get_log"] = "get_log"
    log: Literal["diagnostics", "security"] = "diagnostics"
    location: str = Field(min_length=1, max_length=512)
    request_id: int
    oldest_at: UtcTime | None = None
    latest_at: UtcTime | None = None
    retries: int | None = Field(default=None, ge=0)
    retry_interval_s: int | None = Field(default=None, ge=0)


class InstallCertificate(Tagged):
    """Give the station the certificate it asked for, with those above it (OCPP CertificateSigned); all as PEM.

    `request_id` is the number of the station's request, where it gave one (OCPP 2.1).
    """

    type: Literal["install_certificate"] = "install_certificate"
    certificate_chain: str = Field(min_length=1, max_length=10_000)
    request_id: int | None = None


class RawCall(Tagged):
    """Any action of the station's version, as it is; the edge checks the payload against the official schema."""

    type: Literal["raw_call"] = "raw_call"
    action: str = Field(min_length=1, max_length=64)
    payload: JsonObject


Command = Annotated[
    StartCharging
    | StopCharging
    | ResetStation
    | UnlockConnector
    | TriggerMessage
    | ChangeAvailability
    | GetVariables
    | SetVariables
    | SetChargingProfile
    | ClearChargingProfile
    | UpdateFirmware
    | GetLog
    | InstallCertificate
    | RawCall,
    Field(discriminator="type"),
]


class CommandAnswered(Reply):
    """What the station said. `status` is OCPP's word, `payload` the CALLRESULT; errors of a CALLERROR apart."""

    outcome: CommandOutcome
    status: str | None = None
    payload: JsonObject = {}
    variables: tuple[ReportedVariable, ...] = ()
    error_code: str | None = None
    error_description: str | None = None


class ExecuteCommand(Request[CommandAnswered]):
    """Tell the connected station something; it is not sent after `expires_at`, nor `within_s` seconds from now.

    Where `within_s` is given it alone counts: a duration holds though the clocks of two hosts differ, or jump.
    """

    key: ClassVar[str] = "stations.execute.v1"
    station_id: StationId
    command_id: str
    command: Command
    expires_at: UtcTime
    within_s: float | None = None
