"""Messages in, answers out."""

from modules.authorization import service
from modules.kernel.work import Work
from shared_contracts.authorization import JudgeToken, TokenJudged


async def judge_token(request: JudgeToken, work: Work) -> TokenJudged:
    """Judge an id token; reads only, so that repeating it does no harm."""
    return await service.judge(work, request)
