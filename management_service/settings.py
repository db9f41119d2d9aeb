"""The settings of the management service, with a part for each module (`STRUM_TRANSACTIONS__DATABASE_URL`)."""

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    SecretStr,
    ValidationInfo,
    create_model,
    field_validator,
)
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from modules import catalogue
from shared_contracts.settings import CommonSettings
from shared_contracts.tls import ApiTlsSettings


def _database_url(url: str) -> str:
    """The URL with the driver we use, whichever of PostgreSQL's usual schemes it came with."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError("this is not the URL of a database") from None
    if parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise ValueError("the database must be PostgreSQL")
    return parsed.set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


DatabaseUrl = Annotated[str, AfterValidator(_database_url)]


class ModuleSettings(BaseModel):
    """What every module may be given beside its own settings."""

    database_url: DatabaseUrl | None = Field(default=None, description="A database of the module's own.")


class ManagementSettings(CommonSettings):
    """Where the data is, and where the API listens."""

    database_url: DatabaseUrl = Field(
        default="postgresql+asyncpg://postgres@127.0.0.1:5432/strum",
        description="PostgreSQL, as a SQLAlchemy URL; a module may have its own.",
    )
    database_pool_size: int = Field(default=20, ge=4, le=200, description="Connections per database and process.")
    database_connect_timeout_s: float = Field(
        default=5.0, gt=0, le=60, description="How long a new connection to the database may take, in seconds."
    )
    database_answer_s: float = Field(
        default=3.0,
        gt=0,
        le=60,
        description="A database that does not answer at all for so long, in seconds, is given up, and tried anew.",
    )
    database_statement_timeout_s: float = Field(
        default=30.0, gt=0, le=3600, description="How long one statement may take, in seconds."
    )
    database_lock_timeout_s: float = Field(
        default=5.0, gt=0, le=3600, description="How long a statement may wait for a lock, in seconds."
    )
    database_idle_in_transaction_s: float = Field(
        default=60.0, gt=0, le=3600, description="How long a transaction may do nothing, in seconds."
    )
    consumer_stalled_after_s: float = Field(
        default=20.0,
        gt=0,
        le=600,
        description="A batch of events that takes longer, in seconds, is rolled back and tried again, one by one.",
    )
    host: str = Field(default="127.0.0.1", description="Address of the API.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port of the API.")
    plain_http: bool = Field(default=True, description="Serve the API without TLS at that port.")
    tls: ApiTlsSettings = Field(default_factory=ApiTlsSettings)

    api_rate: float = Field(
        default=100.0, gt=0, description="Requests a second that one caller may make on average, per process."
    )
    api_burst: int = Field(default=500, ge=1, description="Requests that one caller may make at once.")
    api_source_rate: float = Field(
        default=200.0,
        gt=0,
        description="Requests a second from one address on average, per process.",
    )
    api_source_burst: int = Field(default=1000, ge=1, description="Requests from one address at once.")
    api_streams: int = Field(
        default=50, ge=1, description="Streams and downloads that one caller may have open at a time, per process."
    )

    admin_email: str | None = Field(default=None, description="An administrator, made at the start if there is none.")
    admin_password: SecretStr | None = Field(default=None, description="The password of that administrator.")

    @field_validator("tls")
    @classmethod
    def _is_some_way_in(cls, tls: ApiTlsSettings, given: ValidationInfo) -> ApiTlsSettings:
        if not tls.on and not given.data.get("plain_http", True):
            raise ValueError("without certificates the API is served without TLS, or not at all")
        return tls

    def of_module(self, name: str) -> ModuleSettings:
        """The part of one module."""
        part: ModuleSettings = getattr(self, name)
        return part

    def url_of(self, name: str) -> str:
        """The database of one module."""
        return self.of_module(name).database_url or self.database_url


def settings_type() -> type[ManagementSettings]:
    """The settings class with a field per module, each of the module's own settings type."""
    fields: dict[str, Any] = {}
    for name in catalogue.NAMES:
        own = catalogue.load(name).settings
        part = create_model(f"{name.title()}Settings", __base__=(ModuleSettings, own))
        fields[name] = (part, Field(default_factory=part))
    return create_model("AllManagementSettings", __base__=ManagementSettings, **fields)
