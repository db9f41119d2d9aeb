"""People, as clients send and see them."""

from datetime import datetime
from typing import Any, Self

from pydantic import Field, model_validator

from modules.kernel.http import Body, Paging, View
from modules.kernel.scopes import SCOPES, Principal, Scope
from modules.users.domain import User
from modules.users.schemas.common import Email, Line, Name, Secret
from shared_contracts.users import Role


class UserFilter(Paging):
    """Which people to list."""

    role: Role | None = None
    active: bool | None = None
    search: Line | None = Field(default=None, description="Part of the email address or the name; case is ignored.")


class NewUser(Body):
    """An account to make."""

    email: Email = Field(description="What the person signs in with; unique, case is ignored.")
    name: Name = ""
    role: Role
    password: Secret | None = Field(
        default=None,
        description="12 to 128 characters, without the email address in it. Made and shown once if not given.",
    )


class UserChanges(Body):
    """The fields to change; an absent one stays."""

    email: Email | None = None
    name: Name | None = None
    role: Role | None = None
    active: bool | None = Field(default=None, description="Who is not active cannot sign in; their API keys rest.")

    @model_validator(mode="after")
    def _keep_the_necessary(self) -> Self:
        for name in self.model_fields_set:
            if getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null")
        return self

    def columns(self) -> dict[str, Any]:
        """What was given, by the names of the columns."""
        return self.model_dump(exclude_unset=True)


class OwnChanges(Body):
    """What one may change of one's own account."""

    name: Name | None = None


class UserPassword(Body):
    """Another person's new password."""

    password: Secret = Field(description="12 to 128 characters, without the email address in it.")


class OwnNewPassword(Body):
    """One's own new password."""

    current_password: Secret
    password: Secret = Field(description="12 to 128 characters, without the email address in it.")


class UserView(View):
    """A person."""

    id: str
    email: str
    name: str
    role: Role
    active: bool
    revision: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, user: User) -> Self:
        """The view of a person."""
        return cls(**{name: getattr(user, name) for name in User.__slots__})


class NewUserView(UserView):
    """A person whose account was made just now."""

    password: str | None = Field(default=None, description="The password that was made; it is not shown again.")


class OwnView(UserView):
    """The caller, and what this access token or API key opens."""

    scopes: list[Scope]

    @classmethod
    def seen_by(cls, user: User, caller: Principal) -> Self:
        """The view of the caller."""
        return cls(**UserView.of(user).model_dump(), scopes=sorted(caller.scopes & SCOPES[caller.role]))
