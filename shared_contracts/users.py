"""People, and how the other modules know them. Owner: modules/users."""

from enum import StrEnum
from typing import ClassVar

from shared_contracts.message import Event, JsonObject, Reply, Request, UtcTime

ISSUER = "strum"
"""The `iss` of access tokens."""

AUDIENCE = "strum-api"
"""The `aud` of access tokens."""

API_KEY_PREFIX = "strum_"
"""How API keys begin, which tells them from access tokens."""


class Role(StrEnum):
    """What a person is to the system."""

    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"
    DRIVER = "driver"


class VerificationKeys(Reply):
    """The public keys of access tokens as a JSON Web Key Set."""

    keys: tuple[JsonObject, ...]


class GetVerificationKeys(Request[VerificationKeys]):
    """With which keys are access tokens signed?"""

    key: ClassVar[str] = "users.get_verification_keys.v1"


class ApiKeyVerified(Reply):
    """Whose key it is; `user_id` None for one that is unknown, expired or revoked."""

    user_id: str | None = None
    role: Role = Role.VIEWER
    scopes: tuple[str, ...] = ()
    key_id: str | None = None


class VerifyApiKey(Request[ApiKeyVerified]):
    """Whose API key has this SHA-256 (hex)?"""

    key: ClassVar[str] = "users.verify_api_key.v1"
    key_hash: str


class PersonStanding(Reply):
    """What a person may be now: `role` None for nobody. `signed_in_since`: when the oldest of their sessions began."""

    role: Role | None = None
    signed_in_since: UtcTime | None = None


class GetPersonStanding(Request[PersonStanding]):
    """What is this person now? For who may have missed that it changed."""

    key: ClassVar[str] = "users.get_person_standing.v1"
    user_id: str


class UserChanged(Event):
    """A person was created, changed, disabled or removed.

    `signed_out`: every access token that they were given before this occurred holds no longer.
    """

    key: ClassVar[str] = "users.changed.v1"
    user_id: str
    role: Role
    active: bool = True
    removed: bool = False
    signed_out: bool = False


class UserCreated(Reply):
    """`created` is False where the email was taken: nothing was changed. `password` is set if it was generated."""

    user_id: str
    created: bool
    password: str | None = None


class CreateUser(Request[UserCreated]):
    """Make an account; without a password a random one is made and told once. Idempotent by the email."""

    key: ClassVar[str] = "users.create_user.v1"
    email: str
    role: Role
    name: str = ""
    password: str | None = None
