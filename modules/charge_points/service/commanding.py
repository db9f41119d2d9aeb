"""Commands: remembered before they are sent, completed when the answer is in, linked to what they bring about."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from modules.charge_points.domain.commands import CommandState, StationCommand, masked_document, with_ids
from modules.charge_points.domain.destinations import MOST_URLS, SYSTEM_SCHEMES, file_urls, system_urls
from modules.charge_points.errors import CommandNotFound, IdempotencyKeyReused, StationNotFound
from modules.charge_points.repository import commands
from modules.charge_points.service import proving, registering
from modules.kernel.destinations import DestinationRefused, Destinations
from modules.kernel.work import Work
from shared_contracts.charge_points import CommandCompleted, CompleteCommand
from shared_contracts.commands import Command
from shared_contracts.message import new_id
from shared_contracts.transactions import TransactionEnded, TransactionStarted

_START_WINDOW = timedelta(minutes=2)
_HIGHEST_NUMBER = 2**31 - 1
_NOT_COMPARED = {"remote_start_id", "request_id"}  # we give them where the caller does not


@dataclass(frozen=True, slots=True)
class Order:
    """A remembered command. `to_send` is the command with its secrets, None for one that was issued before."""

    remembered: StationCommand
    to_send: Command | None
    trace: str | None = None


async def issue(
    work: Work,
    *,
    station_id: str,
    command: Command,
    issued_by: str,
    timeout_s: float,
    idempotency_key: str | None = None,
) -> Order:
    """Remember a command, to be sent once this work is committed.

    The same idempotency key and station lead to the same command. Raises StationNotFound, IdempotencyKeyReused, and
    DestinationRefused for a command that would send the station where it must not go.
    """
    await _check_destinations(work.resource(Destinations), command)
    command = with_ids(command, secrets.randbelow(_HIGHEST_NUMBER) + 1)
    remembered = StationCommand(
        command_id=new_id(),
        station_id=station_id,
        type=command.type,
        command=masked_document(command),
        state=CommandState.QUEUED,
        issued_by=issued_by,
        idempotency_key=idempotency_key,
        created_at=work.now,
        deadline_at=work.now + timedelta(seconds=timeout_s),
    )
    if await commands.add(work, remembered):
        return Order(remembered, command, work.trace)
    return Order(await _issued_before(work, remembered), None)


async def _check_destinations(destinations: Destinations, command: Command) -> None:
    files, systems = set(file_urls(command)), set(system_urls(command))
    if len(files) + len(systems) > MOST_URLS:
        raise DestinationRefused("More URLs than one command needs.")
    for url in files:
        await destinations.check(url)
    for url in systems:
        await destinations.check(url, schemes=SYSTEM_SCHEMES)


async def _issued_before(work: Work, wanted: StationCommand) -> StationCommand:
    earlier = None
    if wanted.idempotency_key is not None:
        earlier = await commands.find_by_key(work, wanted.station_id, wanted.idempotency_key)
    if earlier is None:
        raise StationNotFound(wanted.station_id)
    if _compared(earlier) != _compared(wanted):
        raise IdempotencyKeyReused(f"It was used for the command {earlier.command_id}.", command_id=earlier.command_id)
    return earlier


def _compared(command: StationCommand) -> dict[str, object]:
    return {name: value for name, value in command.command.items() if name not in _NOT_COMPARED}


async def mark_sent(work: Work, command_id: str) -> None:
    """The pod has it, and the station takes its time."""
    await commands.mark_sent(work, command_id)


async def complete(work: Work, command: StationCommand) -> bool:
    """Store how a command ended and tell everybody, unless that was done before; whether it was new."""
    new = await commands.complete(work, command)
    if new:
        await proving.note_answer(work, command)
        work.publish(_completed(command))
    return new


async def complete_late(work: Work, message: CompleteCommand) -> bool:
    """Store an answer that nobody waited for any more; False where the command has ended otherwise, or is no one's."""
    command = await commands.find(work, message.command_id)
    if command is None or command.station_id != message.station_id:
        return False
    return await complete(work, command.answered(message.answer, work.now))


async def give_up_overdue(work: Work, *, grace: timedelta) -> int:
    """End the commands that a crash left under way: whether they were carried out is unknown, so none is sent again."""
    given_up = await commands.give_up(work, due_before=work.now - grace)
    for command in given_up:
        await proving.note_answer(work, command)
        work.publish(_completed(command))
    return len(given_up)


async def get(work: Work, command_id: str) -> StationCommand:
    """One command. Raises CommandNotFound."""
    command = await commands.find(work, command_id)
    if command is None:
        raise CommandNotFound(command_id)
    return command


async def list_page(
    work: Work, station_id: str, *, states: Collection[CommandState], kind: str | None, before: str | None, limit: int
) -> Sequence[StationCommand]:
    """Commands of a station, newest first. Raises StationNotFound."""
    found = await commands.list_page(work, station_id, states=states, kind=kind, before=before, limit=limit)
    if not found:
        await registering.get(work, station_id)
    return found


async def link_start(work: Work, event: TransactionStarted) -> None:
    """Link a transaction to the command it is the effect of: by its number, or in 1.6 by the id token, while fresh."""
    await commands.link_start(
        work,
        event.station_id,
        event.transaction_id,
        remote_start_id=event.remote_start_id,
        id_token=event.id_token,
        not_before=work.now - _START_WINDOW,
    )


async def link_end(work: Work, event: TransactionEnded) -> None:
    """Link the end of a transaction to the command that asked for it."""
    await commands.link_end(work, event.station_id, event.transaction_id, event.transaction_ref)


def _completed(command: StationCommand) -> CommandCompleted:
    assert command.outcome is not None
    assert command.completed_at is not None
    return CommandCompleted(
        command_id=command.command_id,
        station_id=command.station_id,
        command=command.masked(),
        outcome=command.outcome,
        status=command.status,
        payload=command.payload or {},
        variables=command.variables,
        issued_by=command.issued_by,
        completed_at=command.completed_at,
    )
