"""What operators send and see of the quarantine."""

import base64
from datetime import datetime
from typing import Any, Self

import orjson
from pydantic import Field, JsonValue

from management_service.quarantine.domain import Quarantined, State
from modules.kernel.http import Body, Moment, Paging, View
from shared_contracts.message import Envelope, JsonObject, MalformedBody, StationId


class QuarantineFilter(Paging):
    """Which rows to list: those for which everything given holds."""

    station_id: StationId | None = None
    key: str | None = Field(default=None, max_length=200, description="The routing key of the message.")
    state: State | None = None
    since: Moment | None = Field(default=None, description="When it was set aside.")
    until: Moment | None = Field(default=None, description="Exclusive.")


class Correction(Body):
    """A better payload. A message keeps its key; what was none at all needs one as well."""

    payload: JsonObject
    key: str | None = Field(default=None, max_length=200, description="Of what is no message; a message keeps its own.")


class QuarantinedView(View):
    """A message that a module could not handle, or a body that is none.

    `addressee` is the module it was on its way to, where that is another. `failure` is why the last replay failed.
    """

    id: str
    module: str
    quarantined_at: datetime
    key: str | None
    station_id: str | None
    reason: str
    state: State
    addressee: str | None
    corrected: bool
    failure: str | None
    changed_at: datetime | None
    changed_by: str | None
    revision: int

    @classmethod
    def of(cls, module: str, row: Quarantined) -> Self:
        """The view of a row."""
        return cls(**_fields(module, row))


class QuarantinedMessage(View):
    """A message in a body: its payload, or the text of it where that is no JSON."""

    key: str
    station_id: str | None
    occurred_at: datetime
    payload: JsonValue = None
    text: str | None = None

    @classmethod
    def of(cls, envelope: Envelope) -> Self:
        """The view of an envelope."""
        shown = cls(key=envelope.key, station_id=envelope.station_id, occurred_at=envelope.occurred_at)
        try:
            return shown.model_copy(update={"payload": orjson.loads(envelope.payload)})
        except orjson.JSONDecodeError:
            return shown.model_copy(update={"text": envelope.payload.decode("utf-8", "replace")})


class QuarantinedDetail(QuarantinedView):
    """The same with what it says: no message, one, or a batch of them; `body_base64` is there where it is none."""

    messages: list[QuarantinedMessage]
    body_base64: str | None
    original: str | None

    @classmethod
    def of(cls, module: str, row: Quarantined) -> Self:
        """The view of a row."""
        original = None if row.original is None else row.original.decode("utf-8", "replace")
        try:
            messages = [QuarantinedMessage.of(envelope) for envelope in row.envelopes()]
        except MalformedBody:
            shown = base64.b64encode(row.body).decode()
            return cls(**_fields(module, row), messages=[], body_base64=shown, original=original)
        return cls(**_fields(module, row), messages=messages, body_base64=None, original=original)


def _fields(module: str, row: Quarantined) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "module": module,
        "quarantined_at": row.quarantined_at,
        "key": row.key,
        "station_id": row.station_id,
        "reason": row.reason,
        "state": row.state,
        "addressee": row.addressee,
        "corrected": row.original is not None,
        "failure": row.failure,
        "changed_at": row.changed_at,
        "changed_by": row.changed_by,
        "revision": row.revision,
    }
