"""The use cases of statistics."""

from collections.abc import Sequence

from modules.kernel.work import Work
from modules.statistics import repository
from modules.statistics.domain import session_of
from shared_contracts.diagnostics import ReplayEvents
from shared_contracts.transactions import TransactionEnded

_REPLAY_S = 30.0


async def count(work: Work, ended: Sequence[TransactionEnded]) -> None:
    """Count transactions that ended, or count them anew."""
    await repository.record(work, map(session_of, ended))


async def replay(work: Work) -> int:
    """Have every end of a transaction sent again; returns how many there are. Errors as of `Work.ask`.

    Sessions are not deleted for it: what comes again replaces them, and what does not was counted nonetheless. Its
    event was dropped with its week, was set aside, or is yet to be stored.
    """
    request = ReplayEvents(to_module="statistics", keys=(TransactionEnded.key,))
    return (await work.ask(request, timeout=_REPLAY_S)).events
