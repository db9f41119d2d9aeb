"""What an operator may set: `STRUM_CHARGE_POINTS__UNKNOWN_STATIONS=pending`, and so on."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from modules.charge_points.domain.authority import read_authority


class UnknownStations(StrEnum):
    """What happens when a station connects that nobody registered."""

    REFUSE = "refuse"
    PENDING = "pending"
    ACCEPT = "accept"


class ChargePointsSettings(BaseModel):
    """How stations are admitted and kept in touch with."""

    model_config = ConfigDict(hide_input_in_errors=True)

    unknown_stations: UnknownStations = Field(
        default=UnknownStations.REFUSE,
        description="Refuse them, register them as pending (an operator decides), or accept them without credentials.",
    )
    max_pending_stations: int = Field(
        default=1000,
        ge=0,
        description="How many stations may register themselves as pending before others are refused.",
    )
    heartbeat_interval_s: int = Field(default=300, ge=1, description="What accepted stations are told at boot.")
    retry_interval_s: int = Field(default=60, ge=1, description="When pending and rejected stations boot again.")
    pod_silence_s: int = Field(
        default=35, ge=5, description="After how long without a sign a pod's connections count as lost."
    )
    commands_kept_days: int = Field(
        default=365, ge=0, le=36_500, description="For how many days after their end commands are kept; 0: for ever."
    )
    allowed_destinations: list[str] = Field(
        default=[],
        description="Hosts, `.domains` and networks that stations may be sent to although they are not public.",
    )
    taken_data: dict[str, list[str]] = Field(
        default={},
        description="Vendors whose DataTransfer is accepted, and kept in the frame log, each with its message ids.",
    )
    organization: str | None = Field(
        default=None, max_length=64, description="The `O` that a station's request for a certificate must name."
    )
    station_authority: SecretStr | None = Field(
        default=None,
        description="Signs what stations ask for: a private key, its certificate and those above it, as PEM. "
        "Without it an operator answers over the API.",
    )
    certificate_days: int = Field(
        default=365, ge=1, le=3650, description="For how long the certificates that it signs hold."
    )

    @field_validator("station_authority")
    @classmethod
    def _usable(cls, pem: SecretStr | None) -> SecretStr | None:
        if pem is not None:
            read_authority(pem.get_secret_value())
        return pem
