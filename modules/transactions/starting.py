"""A 1.6 station begins to charge."""

import random

from modules.kernel.errors import Unavailable
from modules.kernel.work import Work
from modules.transactions import events, judging
from modules.transactions.domain.starts_and_stops import opened, start_digest
from modules.transactions.domain.transaction import Transaction
from modules.transactions.repository import starts
from shared_contracts.authorization import TokenJudged, TokenStatus
from shared_contracts.message import new_id
from shared_contracts.transactions import OpenTransaction, TransactionOpened

_ATTEMPTS = 5
_LARGEST_NUMBER = 2**31 - 1  # OCPP 1.6's integers are signed, of 32 bits
_random = random.SystemRandom()


async def start(work: Work, message: OpenTransaction) -> TransactionOpened:
    """Record the start and judge its token; a repeat gets the number and the status of the first."""
    judged = await judging.judge(work, message.station_id, message.id_token)
    digest = start_digest(message)
    for _ in range(_ATTEMPTS):
        known = await _open(work, message, judged, digest)
        if known is not None:
            return _answer(known, judged)
    raise Unavailable("No free transaction number was found.")


async def _open(work: Work, message: OpenTransaction, judged: TokenJudged, digest: str) -> Transaction | None:
    """The new transaction, or the one that this start repeats; None where the number was taken."""
    judged = await judging.unless_concurrent(work, message.id_token, judged)
    number = _random.randint(1, _LARGEST_NUMBER)
    transaction = opened(message, judged, transaction_id=new_id(), number=number)
    if not await starts.open_new(work, transaction, digest):
        return await starts.find_begun(work, transaction, digest)
    work.publish(events.started(transaction), occurred_at=transaction.started_at)
    return transaction


def _answer(transaction: Transaction, judged: TokenJudged) -> TransactionOpened:
    assert transaction.number is not None
    return TransactionOpened(
        number=transaction.number,
        status=transaction.authorization or TokenStatus.INVALID,
        expires_at=judged.expires_at,
        group=judged.group,
    )
