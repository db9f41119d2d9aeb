"""What the host of the modules says of itself. Owner: management_service."""

from typing import ClassVar

from shared_contracts.message import Event, UtcTime
from shared_contracts.users import Role


class RequestAudited(Event):
    """Somebody asked the API to change something. Bodies are never told: they may hold secrets.

    A request whose answer came after its effects were committed is told twice: first with `status` None, together
    with the effects. Requests of a kind that changed nothing are gathered: `count` of them, the last at `last_at`.
    """

    key: ClassVar[str] = "management.request_audited.v1"
    request_id: str
    requested_at: UtcTime
    method: str
    route: str
    source: str
    trace: str
    user_id: str | None = None
    role: Role | None = None
    api_key_id: str | None = None
    parameters: dict[str, str] = {}
    status: int | None = None
    code: str | None = None
    count: int = 1
    last_at: UtcTime | None = None
