"""The audit trail, as an administrator sees it."""

from datetime import datetime
from typing import Annotated, Literal, Self

import orjson
from pydantic import Field, StringConstraints

from modules.diagnostics.domain import AuditFilter, AuditRecord
from modules.kernel.http import Moment, Paging, View
from shared_contracts.users import Role

Given = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class AuditRecordsListed(Paging):
    """Which records."""

    user_id: Given | None = None
    api_key_id: Given | None = None
    source: Given | None = Field(default=None, description="The address that it came from.")
    method: Literal["POST", "PUT", "PATCH", "DELETE"] | None = None
    route: Given | None = Field(default=None, description="As in this document below /api/v1, e.g. `/users/{user_id}`.")
    status: int | None = Field(default=None, ge=100, le=599)
    since: Moment | None = Field(default=None, description="Requested at or after.")
    until: Moment | None = Field(default=None, description="Requested before.")

    def chosen(self) -> AuditFilter:
        """As the audit trail takes it."""
        return AuditFilter(
            self.user_id, self.api_key_id, self.source, self.method, self.route, self.status, self.since, self.until
        )


class AuditRecordView(View):
    """A request that would change something: who made it, from where, and how it ended."""

    request_id: str
    requested_at: datetime
    user_id: str | None = Field(description="Who, or whose account it was about where nobody had signed in.")
    role: Role | None
    api_key_id: str | None = Field(description="The API key that acted for them.")
    source: str
    method: str = Field(description="Empty, with the route, for more kinds of refusals than are told apart.")
    route: str
    parameters: dict[str, str] = Field(description="Of the path; of the first where there are several.")
    status: int | None = Field(description="Absent where it took effect and its answer was never given.")
    code: str | None = Field(description="Of the problem that it was answered with.")
    count: int = Field(description="So many alike that changed nothing, within seconds.")
    last_at: datetime | None = Field(description="When the last of several was made.")
    trace: str

    @classmethod
    def of(cls, record: AuditRecord) -> Self:
        """The view of a record."""
        fields = {name: getattr(record, name) for name in AuditRecord.__slots__}
        return cls(**fields | {"parameters": orjson.loads(record.parameters)})
