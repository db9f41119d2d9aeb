"""What an operator may set: `STRUM_AUTHORIZATION__…`."""

from pydantic import BaseModel, Field


class AuthorizationSettings(BaseModel):
    """Settings of the module."""

    accept_unknown_tokens: bool = Field(
        default=False, description="Let anyone charge whose id token nobody registered (for demonstrations)."
    )
