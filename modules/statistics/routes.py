"""The API of statistics."""

from modules.kernel.errors import InvalidRequest
from modules.kernel.http import Call, Download, NoQuery, Page, decode_cursor, get, page_of, post
from modules.kernel.scopes import Scope
from modules.kernel.work import AfterCommit, Work
from modules.statistics import export, repository, service
from modules.statistics.domain import Grouping
from modules.statistics.schemas import FiguresView, GroupView, PagedSpanFilter, RebuildView, SpanFilter

_PagedCall = Call[PagedSpanFilter, None]
_SpanCall = Call[SpanFilter, None]


async def show_totals(call: Call[SpanFilter, None], work: Work) -> FiguresView:
    """Show energy, duration and number of all transactions of a span of days."""
    return FiguresView.showing(await repository.total(work, call.query.span()))


async def list_station_figures(call: Call[PagedSpanFilter, None], work: Work) -> Page[GroupView]:
    """List the figures per charging station."""
    return await _page(call, work, Grouping.STATION)


async def list_id_token_figures(call: Call[PagedSpanFilter, None], work: Work) -> Page[GroupView]:
    """List the figures per id token."""
    return await _page(call, work, Grouping.ID_TOKEN)


async def list_day_figures(call: Call[PagedSpanFilter, None], work: Work) -> Page[GroupView]:
    """List the figures per day (UTC), by the start of the transactions."""
    return await _page(call, work, Grouping.DAY)


async def export_station_figures(call: Call[SpanFilter, None], work: Work) -> Download:
    """Download the figures per charging station as CSV."""
    return await _file(call, work, Grouping.STATION)


async def export_id_token_figures(call: Call[SpanFilter, None], work: Work) -> Download:
    """Download the figures per id token as CSV."""
    return await _file(call, work, Grouping.ID_TOKEN)


async def export_day_figures(call: Call[SpanFilter, None], work: Work) -> Download:
    """Download the figures per day as CSV."""
    return await _file(call, work, Grouping.DAY)


async def rebuild_statistics(call: Call[NoQuery, None], work: Work) -> AfterCommit[RebuildView]:  # noqa: ARG001 -- every route has a call
    """Count again, within minutes, every transaction of which the event store has the end; the figures stay meanwhile.

    What was counted of others stays as it is. If the event store cannot be reached, nothing changes.
    """

    async def answer() -> RebuildView:
        return RebuildView(events=await service.replay(work))

    return AfterCommit(answer)


async def _page(call: _PagedCall, work: Work, by: Grouping) -> Page[GroupView]:
    query = call.query
    (after,) = decode_cursor(query.cursor, str) or (None,)
    try:
        found = await repository.grouped(work, by, query.span(), after=after, limit=query.limit + 1)
    except ValueError as error:
        problem = [{"field": "cursor", "message": "of another list"}]
        raise InvalidRequest("The cursor is not one of this list.", errors=problem) from error
    return page_of(found, query, GroupView.showing, lambda figures: (figures.of,))


async def _file(call: _SpanCall, work: Work, by: Grouping) -> Download:
    figures = await repository.grouped(work, by, call.query.span())
    return Download(export.lines(by, figures), "text/csv; charset=utf-8", f"strum-{by}.csv")


table = (
    get("/statistics/totals", show_totals, Scope.STATISTICS_READ),
    get("/statistics/stations", list_station_figures, Scope.STATISTICS_READ),
    get("/statistics/id-tokens", list_id_token_figures, Scope.STATISTICS_READ),
    get("/statistics/days", list_day_figures, Scope.STATISTICS_READ),
    get("/statistics/stations.csv", export_station_figures, Scope.STATISTICS_READ),
    get("/statistics/id-tokens.csv", export_id_token_figures, Scope.STATISTICS_READ),
    get("/statistics/days.csv", export_day_figures, Scope.STATISTICS_READ),
    post("/statistics/rebuild", rebuild_statistics, Scope.STATISTICS_WRITE, status=202, problems=(503,)),
)
