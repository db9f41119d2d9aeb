"""Messages in, effects out."""

from collections.abc import Sequence

from modules.kernel.work import Work
from modules.statistics import service
from shared_contracts.transactions import TransactionEnded


async def count_ended(messages: Sequence[TransactionEnded], work: Work) -> None:
    """Count what ended. Idempotent: a transaction has one row, in which its highest revision stays."""
    await service.count(work, messages)
