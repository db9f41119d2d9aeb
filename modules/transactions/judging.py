"""Asking whether an id token may charge."""

import structlog

from modules.kernel.work import Work
from modules.transactions.repository import starts
from modules.transactions.settings import TransactionsSettings
from shared_contracts.authorization import JudgeToken, TokenJudged, TokenStatus, fold_token
from shared_contracts.bus import BusError

log = structlog.get_logger()


async def judge(work: Work, station_id: str, id_token: str, token_type: str | None = None) -> TokenJudged:
    """Ask for the verdict. Errors as of `Work.ask`: the station is then not answered, and asks again."""
    return await work.ask(JudgeToken(station_id=station_id, id_token=id_token, token_type=token_type))


async def judge_if_possible(
    work: Work, station_id: str, id_token: str | None, token_type: str | None = None
) -> TokenJudged | None:
    """The verdict where it may be missing, as for a stop, which must be stored whoever is away."""
    if id_token is None:
        return None
    try:
        return await judge(work, station_id, id_token, token_type)
    except BusError as error:
        log.warning("token_not_judged", station=station_id, error=repr(error))
        return None


async def unless_concurrent(
    work: Work, id_token: str, judged: TokenJudged, *, besides: tuple[str, str] | None = None
) -> TokenJudged:
    """The verdict, or that the token has an open transaction already, where the operator wants that refused.

    `besides` is the transaction, by station and ref, that it is not concurrent with: itself.
    """
    if judged.status is not TokenStatus.ACCEPTED or not work.resource(TransactionsSettings).refuse_concurrent:
        return judged
    if not await starts.has_open(work, fold_token(id_token), besides=besides):
        return judged
    return judged.model_copy(update={"status": TokenStatus.CONCURRENT_TX})
