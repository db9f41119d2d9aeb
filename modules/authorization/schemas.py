"""What clients send and see of id tokens."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from modules.authorization.domain import IdToken, Permission, TokenType
from modules.kernel.http import Body, Moment, Paging, View
from shared_contracts.authorization import TokenStatus

Line = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""Text on one line, without control characters."""


class IdTokenFilter(Paging):
    """Which id tokens to list."""

    status: Literal["accepted", "blocked", "expired"] | None = Field(
        default=None, description="The verdict that the token would get now."
    )
    type: TokenType | None = None
    driver_id: Line | None = None
    group: Line | None = None
    search: Line | None = Field(default=None, description="Part of the value or of the label; case is ignored.")


class NewIdToken(Body):
    """An id token to register."""

    value: Line = Field(description="What the reader reads, or the driver types; unique, case is ignored.")
    type: TokenType = TokenType.ISO14443
    status: Permission = Permission.ACCEPTED
    expires_at: Moment | None = None
    group: Line | None = Field(default=None, description="Tokens of a group may stop each other's transactions.")
    driver_id: Line | None = Field(default=None, description="The user whom it belongs to.")
    label: Line | None = Field(default=None, description="A name for people.")


class IdTokenChanges(Body):
    """The fields to change; an absent one stays, null empties one that may be empty."""

    type: TokenType | None = None
    status: Permission | None = None
    expires_at: Moment | None = None
    group: Line | None = None
    driver_id: Line | None = None
    label: Line | None = None

    @model_validator(mode="after")
    def _keep_the_necessary(self) -> Self:
        for name in ("type", "status"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null")
        return self

    def columns(self) -> dict[str, Any]:
        """What was given, by the names of the columns."""
        given = self.model_dump(exclude_unset=True)
        if "status" in given:
            given["permission"] = given.pop("status")
        return given


class IdTokenView(View):
    """An id token. `status` is the verdict it would get now."""

    id: str
    value: str
    type: TokenType
    status: TokenStatus
    expires_at: datetime | None
    group: str | None
    driver_id: str | None
    label: str | None
    revision: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, token: IdToken, now: datetime) -> Self:
        """The view of a token at a moment."""
        return cls(
            id=token.id,
            value=token.value,
            type=token.type,
            status=token.status(now),
            expires_at=token.expires_at,
            group=token.group,
            driver_id=token.driver_id,
            label=token.label,
            revision=token.revision,
            created_at=token.created_at,
            updated_at=token.updated_at,
        )
