"""People, what they may do, and the rules on passwords."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from modules.kernel.scopes import SCOPES, Scope
from shared_contracts.users import Role

EMAIL_PATTERN = r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$"
EMAIL_LENGTH = 254
_SHORTEST, _LONGEST = 12, 128
_TELLING = 3


@dataclass(frozen=True, slots=True)
class User:
    """A person. Nobody signs in who is not active."""

    id: str
    email: str
    name: str
    role: Role
    active: bool
    revision: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """A person with the argon2id hash of their password."""

    user: User
    password_hash: str


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token as stored, and whose it is. It is used once; `used_at` tells when."""

    session_id: str
    expires_at: datetime
    used_at: datetime | None
    user: User


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that acts for a person. `scopes` None is all of its role; `hint` is how its text begins."""

    id: str
    user_id: str
    name: str
    hint: str
    role: Role
    scopes: frozenset[Scope] | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None

    def access(self, owner: User, now: datetime) -> tuple[Role, frozenset[Scope]] | None:
        """What the key opens now: what it was made for, of what its owner has left; None for nothing at all."""
        if not owner.active or (self.expires_at is not None and self.expires_at <= now):
            return None
        scopes = SCOPES[self.role] & SCOPES[owner.role]
        if self.scopes is not None:
            scopes &= self.scopes
        return (_lesser(self.role, owner.role), scopes) if scopes else None


def _lesser(one: Role, other: Role) -> Role:
    """The role that is less than the other. Driver is, whatever the other may: drivers see what is theirs alone."""
    if Role.DRIVER in {one, other}:
        return Role.DRIVER
    return one if SCOPES[one] <= SCOPES[other] else other


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key pair as stored: `public` is a JWK with its kid; `private` (PEM) is absent for a key that is supplied."""

    id: str
    public: dict[str, Any]
    private: str | None
    created_at: datetime


def fold_email(email: str) -> str:
    """The form in which email addresses are equal: without regard to case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", email).casefold())


def is_email(text: str) -> bool:
    """Whether this is an email address, as far as it can be told without writing to it."""
    return len(text) <= EMAIL_LENGTH and re.fullmatch(EMAIL_PATTERN, text) is not None


def password_flaw(password: str, email: str) -> str | None:
    """What is wrong with a password, or None. The local part counts where it is long enough to tell something."""
    if not _SHORTEST <= len(password) <= _LONGEST:
        return f"has {_SHORTEST} to {_LONGEST} characters"
    local, _, _ = email.rpartition("@")
    if len(local) >= _TELLING and fold_email(local) in fold_email(password):
        return "must not contain the email address"
    return None


def secret_hash(secret: str) -> str:
    """SHA-256 (hex) of a secret that is random and long: a slow hash would protect it no better."""
    return hashlib.sha256(secret.encode()).hexdigest()
