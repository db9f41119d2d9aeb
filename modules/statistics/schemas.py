"""What clients ask and see of statistics."""

from datetime import date
from typing import Annotated, Self

from pydantic import Field, StringConstraints

from modules.kernel.http import Body, Paging, View
from modules.statistics.domain import Figures
from modules.statistics.repository import Span
from shared_contracts.authorization import fold_token
from shared_contracts.message import StationId

IdToken = Annotated[str, StringConstraints(max_length=255)]


class SpanFilter(Body):
    """Which transactions to count, by the day (UTC) on which they began."""

    since: date | None = Field(default=None, description="The first day.")
    until: date | None = Field(default=None, description="The day after the last one.")
    station_id: StationId | None = None
    id_token: IdToken | None = Field(default=None, description="Case is ignored; empty for those without a token.")

    def span(self) -> Span:
        """As the repository wants it."""
        id_token = None if self.id_token is None else fold_token(self.id_token)
        return Span(self.since, self.until, self.station_id, id_token)


class PagedSpanFilter(SpanFilter, Paging):
    """The same, for a list."""


class FiguresView(View):
    """Sums over transactions that are over. Energy counts whole where it is `suspect`, and 0 where it is unknown."""

    sessions: int
    failed: int
    suspect: int
    energy_wh: int
    duration_s: int

    @classmethod
    def showing(cls, figures: Figures) -> Self:
        """The view of some figures."""
        return cls.model_validate(figures, from_attributes=True)


class GroupView(FiguresView):
    """The sums of one group. `of` is the station, the id token in lower case, or the day."""

    of: str


class RebuildView(View):
    """A rebuild under way."""

    events: int = Field(description="How many ends of transactions are counted again.")
