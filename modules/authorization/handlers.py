"""Messages in, answers out."""

from modules.authorization import service
from modules.kernel.work import Work
from shared_contracts.authorization import JudgeToken, TokenJudged
from shared_contracts.users import UserChanged


async def judge_token(request: JudgeToken, work: Work) -> TokenJudged:
    """Judge an id token; reads only, so that repeating it does no harm."""
    return await service.judge(work, request)


async def follow_user(event: UserChanged, work: Work) -> None:
    """Take the id tokens from a person who was removed. Idempotent: the second time they have none."""
    if event.removed:
        await service.take_from_driver(work, event.user_id)
