"""Signing in, as clients send and see it."""

from typing import Literal, Self

from modules.kernel.http import Body, View
from modules.users.schemas.common import Line, Secret
from modules.users.schemas.people import UserView
from modules.users.signing_in import SignedIn


class SignIn(Body):
    """Who signs in."""

    email: Line
    password: Secret


class RefreshTokenGiven(Body):
    """The refresh token that was given last."""

    refresh_token: Secret


class SessionView(View):
    """Tokens: send the access token as `Authorization: Bearer …`; exchange the refresh token before it expires."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # a kind of token, not a token
    expires_in: int
    refresh_token: str
    user: UserView

    @classmethod
    def of(cls, signed_in: SignedIn) -> Self:
        """The view of a session that began or went on just now."""
        return cls(
            access_token=signed_in.access_token,
            expires_in=signed_in.expires_in_s,
            refresh_token=signed_in.refresh_token,
            user=UserView.of(signed_in.user),
        )
