"""API keys, as clients send and see them."""

from datetime import datetime
from typing import Self

from pydantic import Field

from modules.kernel.http import Body, Moment, Paging, View
from modules.kernel.scopes import Scope
from modules.users.domain import ApiKey
from modules.users.schemas.common import Line
from shared_contracts.users import Role


class ApiKeyFilter(Paging):
    """Which API keys to list."""

    user_id: Line | None = Field(default=None, description="Whose; one's own where one may not read users.")


class NewApiKey(Body):
    """An API key to make; it acts for its maker."""

    name: Line = Field(description="What it is for.")
    role: Role | None = Field(default=None, description="The maker's own if absent; never a greater one.")
    scopes: frozenset[Scope] | None = Field(default=None, min_length=1, description="All of the role's if absent.")
    expires_at: Moment | None = Field(default=None, description="Never if absent.")


class ApiKeyView(View):
    """An API key; `hint` is how its text begins."""

    id: str
    user_id: str
    name: str
    hint: str
    role: Role
    scopes: list[Scope] | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="To the minute.")

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        """The view of a key."""
        scopes = None if key.scopes is None else sorted(key.scopes)
        return cls(**{name: getattr(key, name) for name in ApiKey.__slots__} | {"scopes": scopes})


class NewApiKeyView(ApiKeyView):
    """A key that was made just now."""

    key: str = Field(description="Send it as `Authorization: Bearer …`. It is not shown again.")
