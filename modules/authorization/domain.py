"""Id tokens and the verdict on them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared_contracts.authorization import TokenStatus


class TokenType(StrEnum):
    """What an id token is (OCPP 2.0.1 IdTokenEnumType, with the additions of 2.1). 1.6 knows no types."""

    CENTRAL = "Central"
    DIRECT_PAYMENT = "DirectPayment"
    EMAID = "eMAID"
    EVCCID = "EVCCID"
    ISO14443 = "ISO14443"
    ISO15693 = "ISO15693"
    KEY_CODE = "KeyCode"
    LOCAL = "Local"
    MAC_ADDRESS = "MacAddress"
    NO_AUTHORIZATION = "NoAuthorization"
    VIN = "VIN"


class Permission(StrEnum):
    """What the operator decided; that a token expired follows from its `expires_at`."""

    ACCEPTED = "accepted"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class IdToken:
    """An id token as registered. `group` is the parent of OCPP 1.6; `driver_id` the person it belongs to."""

    id: str
    value: str
    type: TokenType
    permission: Permission
    expires_at: datetime | None
    group: str | None
    driver_id: str | None
    label: str | None
    revision: int
    created_at: datetime
    updated_at: datetime

    def status(self, now: datetime) -> TokenStatus:
        """The verdict at this moment; that a token is blocked goes before that it expired."""
        return status_of(self.permission, self.expires_at, now)


def status_of(permission: Permission, expires_at: datetime | None, now: datetime) -> TokenStatus:
    """Blocked, expired or accepted. A token expires at `expires_at`, not after it."""
    if permission is Permission.BLOCKED:
        return TokenStatus.BLOCKED
    if expires_at is not None and expires_at <= now:
        return TokenStatus.EXPIRED
    return TokenStatus.ACCEPTED


def needs_no_token(token_type: str | None) -> bool:
    """Whether charging was begun by a button or the like: the CSMS shall accept it (OCPP 2.0.1 C02.FR.02)."""
    return token_type == TokenType.NO_AUTHORIZATION
