"""Errors that a caller may see: each carries its HTTP status and a stable code (RFC 9457)."""

from collections.abc import Mapping
from typing import Any, ClassVar


class Problem(Exception):
    """An expected refusal. Subclasses set `status`, `code` and `title`; `extra` holds further members."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"
    title: ClassVar[str] = "The request cannot be carried out"

    def __init__(self, detail: str = "", **extra: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.extra: Mapping[str, Any] = extra


class InvalidRequest(Problem):
    """Well-formed, but a field does not fit; `errors` names each field."""

    status = 422
    code = "invalid_request"
    title = "A field of the request does not fit"


class MalformedRequest(Problem):
    """The body is not what its content type says."""

    code = "malformed_request"
    title = "The body cannot be read"


class Unauthenticated(Problem):
    """No credentials, or credentials that do not hold."""

    status = 401
    code = "unauthenticated"
    title = "Sign in first"


class Forbidden(Problem):
    """Known, but not allowed."""

    status = 403
    code = "forbidden"
    title = "Not allowed"


class NotFound(Problem):
    """Not there, or not to be seen by this caller."""

    status = 404
    code = "not_found"
    title = "Not found"


class Conflict(Problem):
    """The state of the resource does not allow it."""

    status = 409
    code = "conflict"
    title = "The state of the resource does not allow it"


class Gone(Problem):
    """It was there, and is not kept any more."""

    status = 410
    code = "gone"
    title = "Not kept any more"


class PreconditionFailed(Problem):
    """If-Match names another revision than the current one."""

    status = 412
    code = "precondition_failed"
    title = "The resource changed meanwhile"


class Unavailable(Problem):
    """Our own trouble; the same request may succeed later."""

    status = 503
    code = "unavailable"
    title = "Temporarily not available"


class UnsupportedMediaType(Problem):
    """The body is of a kind, or compressed in a way, that is not taken."""

    status = 415
    code = "unsupported_media_type"
    title = "The body is of a kind that is not taken"


class TooManyRequests(Problem):
    """More requests than one caller, or one address, may make."""

    status = 429
    code = "too_many_requests"
    title = "Too many requests"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"Try again in {retry_after_s} seconds.", retry_after_s=retry_after_s)
