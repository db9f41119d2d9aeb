"""Statuses."""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import Field

from modules.diagnostics.domain import Status
from modules.diagnostics.status_store import kind_of
from modules.kernel.http import Paging, View

Kind = Literal["station", "connector", "meter", "firmware", "log", "last_seen"]


class StatusesListed(Paging):
    """Which statuses."""

    kind: Kind | None = None
    state: str | None = Field(default=None, max_length=50, description="E.g. `faulted` of a connector.")


class StatusView(View):
    """The latest of one item of a station; `values` has what its kind knows."""

    station_id: str
    item: str
    kind: str
    state: str | None
    observed_at: datetime
    values: dict[str, Any]

    @classmethod
    def of(cls, status: Status) -> Self:
        """A view of a status."""
        return cls(
            station_id=status.station_id,
            item=status.item,
            kind=kind_of(status.item),
            state=status.state,
            observed_at=status.observed_at,
            values=dict(status.body),
        )


class StationStatuses(View):
    """All that is known of a station now, by item."""

    items: list[StatusView]
