"""What an operator may set: `STRUM_USERS__…`."""

from joserfc.jwk import ECKey
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class UsersSettings(BaseModel):
    """Settings of the module."""

    model_config = ConfigDict(hide_input_in_errors=True)

    access_token_s: int = Field(
        default=600,
        ge=1,
        le=86_400,
        description="How long an access token holds, unless its person is shut out or gets another role.",
    )
    refresh_token_s: int = Field(
        default=30 * 86_400, ge=60, description="How long one stays signed in without using the system."
    )
    signing_key: SecretStr | None = Field(
        default=None, description="Signs access tokens: a P-256 private key as PEM. Made and kept by us if not given."
    )
    signing_key_days: int = Field(default=90, ge=1, description="The age at which a key of our own is replaced.")
    password_memory_kib: int = Field(
        default=65_536, ge=19_456, description="Memory that argon2id takes for a password."
    )
    password_passes: int = Field(default=3, ge=2, description="Passes of argon2id over that memory.")
    password_threads: int = Field(default=2, ge=1, le=32, description="How many passwords are hashed at a time.")
    sign_in_attempts: int = Field(
        default=10, ge=1, description="Failures for an account from one address before it has to wait."
    )
    sign_in_source_attempts: int = Field(
        default=100, ge=1, description="Failures from one address, for whatever accounts, before it has to wait."
    )
    sign_in_account_attempts: int = Field(
        default=100,
        ge=1,
        description="Failures for an account from all addresses, before those it was never used from have to wait.",
    )
    sign_in_window_s: int = Field(default=600, ge=1, description="How long they have to wait, from the first failure.")

    api_keys_per_user: int = Field(default=100, ge=1, description="API keys that one person may have.")

    @field_validator("signing_key")
    @classmethod
    def _usable(cls, pem: SecretStr | None) -> SecretStr | None:
        if pem is not None:
            read_private(pem.get_secret_value())
        return pem


def read_private(pem: str) -> ECKey:
    """Read a private key; raises ValueError, which does not repeat it, for what is none on P-256."""
    try:
        key = ECKey.import_key(pem)
    except Exception:  # whatever the parser says may show part of the key
        raise ValueError("not a private key as PEM") from None
    if key.curve_name != "P-256" or not key.is_private:
        raise ValueError("not a private key on P-256")
    return key
