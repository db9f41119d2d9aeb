"""Replays."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field

from modules.diagnostics.domain import Replay
from modules.diagnostics.schemas.events import KeyName
from modules.kernel.http import Body, Moment, View


class NewReplay(Body):
    """Events to send to a module again."""

    to_module: str = Field(max_length=50)
    keys: list[KeyName] = Field(min_length=1, max_length=50, description="Routing keys; with * at the end, prefixes.")
    since: Moment | None = Field(default=None, description="Stored at or after.")
    until: Moment | None = Field(default=None, description="Stored before.")


class ReplayView(View):
    """How far a replay has come; `finished_at` is set once all has been sent."""

    id: UUID
    to_module: str
    keys: tuple[str, ...]
    since: datetime | None
    until: datetime | None
    requested_by: str
    requested_at: datetime
    events: int
    sent: int
    finished_at: datetime | None

    @classmethod
    def of(cls, replay: Replay) -> Self:
        """A view of a replay."""
        return cls.model_validate(replay, from_attributes=True)
