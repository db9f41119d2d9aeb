"""/charging-stations/{station_id}/commands, /commands and /charging-stations/{station_id}/ocpp"""

from pydantic import ValidationError

from modules.charge_points.domain.commands import CommandState, StationCommand
from modules.charge_points.errors import InvalidPayload
from modules.charge_points.schemas.commands import CommandFilter, CommandView, CommandWait, NewCommand
from modules.charge_points.service import commanding
from modules.charge_points.service.commanding import Order
from modules.charge_points.service.dispatching import Dispatcher
from modules.kernel.errors import InvalidRequest
from modules.kernel.http import Call, Created, NoQuery, Page, decode_cursor, get, page_of, post
from modules.kernel.scopes import Scope
from modules.kernel.work import AfterCommit, Work
from shared_contracts.commands import Command, RawCall
from shared_contracts.message import JsonObject


async def issue_command(call: Call[CommandWait, NewCommand], work: Work) -> AfterCommit[Created[CommandView]]:
    """Tell a charging station something.

    The answer comes with the outcome, or after `wait_s` without: the command then still is `queued` or `sent`. A
    station that is not connected leaves it `offline`, and it is not sent later.
    """
    order, dispatcher = await _issue(call, call.body.root, work), work.resource(Dispatcher)

    async def answer() -> Created[CommandView]:
        return _created(await dispatcher.carry(order, wait_s=call.query.wait_s))

    return AfterCommit(answer)


async def call_ocpp_action(call: Call[CommandWait, JsonObject], work: Work) -> AfterCommit[Created[CommandView]]:
    """Send any OCPP action, with the payload as it is.

    The payload is checked against the schema of the station's OCPP version before it is sent; one that does not fit
    is answered with 400 and its `violations`.
    """
    try:
        command = RawCall(action=call.path["action"], payload=call.body)
    except ValidationError as error:
        errors = [{"field": "action", "message": "1 to 64 characters"}]
        raise InvalidRequest("There is no such action.", errors=errors) from error
    order, dispatcher = await _issue(call, command, work), work.resource(Dispatcher)

    async def answer() -> Created[CommandView]:
        return _created(_sendable(await dispatcher.carry(order, wait_s=call.query.wait_s)))

    return AfterCommit(answer)


async def get_command(call: Call[NoQuery, None], work: Work) -> CommandView:
    """Show a command: its state, the station's answer, and the transaction it began or ended."""
    return CommandView.of(await commanding.get(work, call.path["command_id"]))


async def list_commands(call: Call[CommandFilter, None], work: Work) -> Page[CommandView]:
    """List the commands of a charging station, newest first."""
    query = call.query
    (before,) = decode_cursor(query.cursor, str) or (None,)
    found = await commanding.list_page(
        work,
        call.path["station_id"],
        states=query.state,
        kind=query.type,
        before=before,
        limit=query.limit + 1,
    )
    return page_of(found, query, CommandView.of, lambda command: (command.command_id,))


async def _issue(
    call: Call[CommandWait, NewCommand] | Call[CommandWait, JsonObject], command: Command, work: Work
) -> Order:
    """The command bears the caller's Idempotency-Key as well: the host forgets one that it could not answer."""
    by, key = call.principal.user_id, call.idempotency_key
    return await commanding.issue(
        work,
        station_id=call.path["station_id"],
        command=command,
        issued_by=by,
        timeout_s=call.query.timeout_s,
        idempotency_key=key and f"{by}:api:{command.type}:{key}",
    )


def _created(command: StationCommand) -> Created[CommandView]:
    return Created(CommandView.of(command), f"/commands/{command.command_id}")


def _sendable(command: StationCommand) -> StationCommand:
    """Refuse what was not sent because it does not fit the schema."""
    violations = (command.payload or {}).get("violations")
    if command.state is CommandState.INVALID and isinstance(violations, list):
        told = [violation for violation in violations if isinstance(violation, dict)]
        raise InvalidPayload(command.error_description or "", command.command_id, told)
    return command


table = (
    post("/charging-stations/{station_id}/commands", issue_command, Scope.STATIONS_COMMAND),
    get("/charging-stations/{station_id}/commands", list_commands, Scope.STATIONS_READ),
    get("/commands/{command_id}", get_command, Scope.STATIONS_READ),
    post("/charging-stations/{station_id}/ocpp/{action}", call_ocpp_action, Scope.STATIONS_COMMAND),
)
