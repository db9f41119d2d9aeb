"""/charging-stations/{station_id}/variables and /variable-changes"""

from modules.configuration.domain.variables import VariableKey
from modules.configuration.routes.cursors import position_of
from modules.configuration.schemas.variables import (
    ChangesView,
    ChangeView,
    NewValues,
    RefreshView,
    VariableFilter,
    VariableView,
)
from modules.configuration.service import variables
from modules.configuration.service.sending import Afterwards
from modules.kernel.http import Call, NoQuery, Page, Paging, get, page_of, patch, post
from modules.kernel.scopes import Scope
from modules.kernel.work import AfterCommit, Work

_KEY_KINDS = (str, str, str, int, int, str, str)


async def list_variables(call: Call[VariableFilter, None], work: Work) -> Page[VariableView]:
    """List the last known variables (OCPP 2.x) or configuration keys (1.6) of a charging station."""
    query = call.query
    after = position_of(query.cursor, *_KEY_KINDS)
    found = await variables.list_variables(
        work,
        call.path["station_id"],
        component=query.component,
        text=query.search,
        after=None if after is None else VariableKey(*after),
        limit=query.limit + 1,
    )
    return page_of(found, query, VariableView.of, lambda variable: variable.key)


async def refresh_variables(call: Call[NoQuery, None], work: Work) -> AfterCommit[RefreshView]:
    """Read all variables of a charging station anew.

    A 1.6 station answers with them; a 2.x station reports them in the seconds after.
    """
    afterwards = work.resource(Afterwards)

    async def answer() -> RefreshView:
        async with afterwards.work(work.trace) as later:
            issued = await variables.refresh(later, call.path["station_id"], issued_by=call.principal.user_id)
        return RefreshView.of(issued)

    return AfterCommit(answer)


async def change_variables(call: Call[NoQuery, NewValues], work: Work) -> ChangesView:
    """Change variables of a charging station; each is accepted or rejected by itself."""
    issued, done = await variables.change(
        work, call.path["station_id"], call.body.changes, issued_by=call.principal.user_id
    )
    return ChangesView(
        command_id=issued.command_id, outcome=issued.outcome, changes=[ChangeView.of(change) for change in done]
    )


async def list_variable_changes(call: Call[Paging, None], work: Work) -> Page[ChangeView]:
    """List the changes to variables of a charging station, newest first: who asked, old, new, outcome."""
    query = call.query
    before = position_of(query.cursor, str, int)
    found = await variables.list_changes(work, call.path["station_id"], before=before, limit=query.limit + 1)
    return page_of(found, query, ChangeView.of, lambda change: (change.command_id, change.position))


_ONE = "/charging-stations/{station_id}"
table = (
    get(f"{_ONE}/variables", list_variables, Scope.CONFIGURATION_READ),
    patch(f"{_ONE}/variables", change_variables, Scope.CONFIGURATION_WRITE),
    post(f"{_ONE}/variables/refresh", refresh_variables, Scope.CONFIGURATION_WRITE),
    get(f"{_ONE}/variable-changes", list_variable_changes, Scope.CONFIGURATION_READ),
)
