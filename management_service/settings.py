"""The settings of the management service, with a part for each module (`STRUM_TRANSACTIONS__DATABASE_URL`)."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, SecretStr, create_model
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from modules import catalogue
from shared_contracts.settings import CommonSettings


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
    database_pool_size: int = Field(default=20, ge=1, le=200, description="Connections per database and process.")
    host: str = Field(default="127.0.0.1", description="Address of the API.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port of the API.")

    admin_email: str | None = Field(default=None, description="An administrator, made at the start if there is none.")
    admin_password: SecretStr | None = Field(default=None, description="The password of that administrator.")

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
