"""Starting and stopping a charge from afar."""

import random

from modules.kernel.scopes import Principal
from modules.kernel.work import Work
from modules.transactions import judging
from modules.transactions.domain.transaction import Transaction
from modules.transactions.errors import (
    CommandFailed,
    CommandRejected,
    IdTokenRefused,
    NotYourToken,
    StationNotConnected,
)
from modules.transactions.settings import TransactionsSettings
from shared_contracts.authorization import TokenStatus
from shared_contracts.charge_points import CommandIssued, IssueCommand
from shared_contracts.commands import Command, CommandOutcome, StartCharging, StopCharging

_LARGEST_ID = 2**31 - 1
_ANSWERING_S = 5.0
"""What the answer of the module that issues commands may take beside the wait for the station."""

_random = random.SystemRandom()


async def start(
    work: Work, by: Principal, *, station_id: str, wanted: StartCharging, idempotency_key: str | None
) -> tuple[CommandIssued, int]:
    """Tell a station to start; returns the command and the id by which the transaction may be known to follow from it.

    Raises NotYourToken, IdTokenRefused, and the errors of a command.
    """
    judged = await judging.judge(work, station_id, wanted.id_token, wanted.token_type)
    if by.driver_id is not None and judged.driver_id != by.driver_id:
        raise NotYourToken
    if judged.status is not TokenStatus.ACCEPTED:
        raise IdTokenRefused(id_token_status=judged.status)
    remote_start_id = _random.randint(1, _LARGEST_ID)
    command = wanted.model_copy(update={"remote_start_id": remote_start_id})
    return await _issue(work, by, station_id, command, idempotency_key), remote_start_id


async def stop(work: Work, by: Principal, transaction: Transaction, *, idempotency_key: str | None) -> CommandIssued:
    """Tell the station to stop a transaction. Errors as of a command."""
    command = StopCharging(transaction_ref=transaction.ref)
    return await _issue(work, by, transaction.station_id, command, idempotency_key)


async def _issue(
    work: Work, by: Principal, station_id: str, command: Command, idempotency_key: str | None
) -> CommandIssued:
    wait_s = work.resource(TransactionsSettings).command_wait_s
    issued = await work.ask(
        IssueCommand(
            station_id=station_id,
            command=command,
            issued_by=by.user_id,
            idempotency_key=idempotency_key and f"{by.user_id}:{command.type}:{idempotency_key}",
            wait_s=wait_s,
        ),
        timeout=wait_s + _ANSWERING_S,
    )
    match issued.outcome:
        case None | CommandOutcome.ACCEPTED | CommandOutcome.TIMED_OUT:
            return issued
        case CommandOutcome.OFFLINE:
            raise StationNotConnected(command_id=issued.command_id)
        case CommandOutcome.REJECTED:
            raise CommandRejected(command_id=issued.command_id, station_status=issued.status)
        case outcome:
            raise CommandFailed(issued.error_description or "", command_id=issued.command_id, outcome=outcome)
