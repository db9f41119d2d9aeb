"""The settings of the module: environment, prefix STRUM_DIAGNOSTICS__."""

from pydantic import BaseModel, Field, SecretStr


class DiagnosticsSettings(BaseModel):
    """Where statuses are kept, and for how long the rest."""

    status_store_url: SecretStr | None = Field(
        default=None, description="An Azure Table connection string; PostgreSQL keeps the statuses where it is unset."
    )
    status_table: str = Field(
        default="statuses", pattern=r"^[A-Za-z][A-Za-z0-9]{2,62}$", description="Name of the Azure table."
    )
    flush_interval_s: float = Field(
        default=1.0, ge=0.05, le=60, description="How often changed statuses are written, in seconds."
    )
    events_kept_days: int = Field(
        default=365, ge=0, description="For how many days events are kept, at least; 0: for ever."
    )
    frames_kept_days: int = Field(
        default=30, ge=0, description="For how many days frames are kept, at least; 0: for ever."
    )
    audit_kept_days: int = Field(
        default=0, ge=0, description="For how many days the audit trail is kept, at least; 0: for ever."
    )
