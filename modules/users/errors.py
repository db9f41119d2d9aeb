"""What can go wrong with people and their credentials, as a client sees it."""

from modules.kernel.errors import Conflict, Forbidden, InvalidRequest, NotFound, Problem, Unauthenticated


class UserNotFound(NotFound):
    """No person has this id."""

    code = "user_not_found"
    title = "There is no such user"

    def __init__(self, user_id: str) -> None:
        super().__init__(user_id=user_id)


class EmailTaken(Conflict):
    """Another person has this email address, compared without regard to case."""

    code = "email_taken"
    title = "There is an account with this email address already"


class LastAdmin(Conflict):
    """Without this person nobody could administer the system."""

    code = "last_admin"
    title = "This is the last active administrator"


class OwnRole(Forbidden):
    """Nobody changes their own role: another administrator does."""

    code = "own_role"
    title = "Your own role is changed by another administrator"


class BeyondOwnScopes(Forbidden):
    """Nobody gives, or changes for others, what they may not do themselves."""

    code = "beyond_own_scopes"
    title = "This takes scopes that you do not have"


class KeyMakesNone(Forbidden):
    """People make API keys, having signed in; a key makes none."""

    code = "api_key_makes_none"
    title = "An API key makes no API keys: sign in"


class UnfitEmail(InvalidRequest):
    """This is no email address."""

    code = "unfit_email"
    title = "This is no email address"

    def __init__(self) -> None:
        super().__init__(errors=[{"field": "email", "message": self.title}])


class UnfitPassword(InvalidRequest):
    """The password breaks a rule."""

    code = "unfit_password"
    title = "The password does not fit"

    def __init__(self, flaw: str) -> None:
        super().__init__(f"The password {flaw}.", errors=[{"field": "password", "message": flaw}])


class WrongCredentials(Unauthenticated):
    """The same answer whether the account is unknown, inactive, or the password wrong."""

    code = "wrong_credentials"
    title = "The email address or the password is wrong"


class WrongPassword(Forbidden):
    """The current password, asked for again, is wrong."""

    code = "wrong_password"
    title = "The current password is wrong"


class RefreshRefused(Unauthenticated):
    """The refresh token is unknown, expired, revoked or used."""

    code = "refresh_refused"
    title = "Sign in again"


class TooManyAttempts(Problem):
    """Too many failures for this account from this address."""

    status = 429
    code = "too_many_attempts"
    title = "Too many failed attempts to sign in"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"Try again in {retry_after_s} seconds.", retry_after_s=retry_after_s)


class TooManyApiKeys(Conflict):
    """This person has as many API keys as one may have."""

    code = "too_many_api_keys"
    title = "Revoke an API key that is not needed any more, first"


class ApiKeyNotFound(NotFound):
    """No API key of the caller has this id."""

    code = "api_key_not_found"
    title = "There is no such API key"

    def __init__(self, key_id: str) -> None:
        super().__init__(key_id=key_id)
