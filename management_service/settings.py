"""The settings of the management service, with a part for each module (`STRUM_TRANSACTIONS__DATABASE_URL`)."""

from typing import Any

from pydantic import BaseModel, Field, SecretStr, create_model

from modules import catalogue
from shared_contracts.settings import CommonSettings


class ModuleSettings(BaseModel):
    """What every module may be given beside its own settings."""

    database_url: str | None = Field(default=None, description="A database of the module's own.")


class ManagementSettings(CommonSettings):
    """Where the data is, and where the API listens."""

    database_url: str = Field(
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
