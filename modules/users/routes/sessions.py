"""Signing in and out."""

from modules.kernel.http import Call, NoQuery, delete, post
from modules.kernel.scopes import Scope
from modules.kernel.work import AfterCommit, Work
from modules.users import people, signing_in
from modules.users.errors import RefreshRefused
from modules.users.schemas.sessions import RefreshTokenGiven, SessionView, SignIn


async def sign_in(call: Call[NoQuery, SignIn], work: Work) -> SessionView:
    """Sign in with an email address and a password.

    After several failures for an account from one address, it has to wait: 429, with `retry_after_s`.
    """
    password = call.body.password.get_secret_value()
    return SessionView.of(await signing_in.sign_in(work, email=call.body.email, password=password, source=call.source))


async def refresh_session(call: Call[NoQuery, RefreshTokenGiven], work: Work) -> AfterCommit[SessionView]:
    """Exchange a refresh token for new tokens.

    A refresh token is used once. A second use ends the session: somebody else has it too.
    """
    signed_in = await signing_in.refresh(work, call.body.refresh_token.get_secret_value())

    async def answer() -> SessionView:
        if signed_in is None:
            raise RefreshRefused
        return SessionView.of(signed_in)

    return AfterCommit(answer)


async def sign_out(call: Call[NoQuery, RefreshTokenGiven], work: Work) -> None:
    """Sign out: the session of this refresh token ends. Its last access token holds until it expires."""
    await signing_in.sign_out(work, call.body.refresh_token.get_secret_value())


async def sign_out_everywhere(call: Call[NoQuery, None], work: Work) -> None:
    """End all sessions of the caller, and the access tokens that they were given."""
    await people.sign_out_everywhere(work, call.principal.user_id)


table = (
    post("/sessions", sign_in, None, acts=False, problems=(401, 429)),
    post("/sessions/refresh", refresh_session, None, acts=False, problems=(401,)),
    post("/sessions/sign-out", sign_out, None, status=204, acts=False),
    delete("/sessions", sign_out_everywhere, Scope.PROFILE, problems=(404,)),
)
