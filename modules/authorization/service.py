"""The use cases of id tokens."""

from collections.abc import Mapping
from typing import Any

from modules.authorization import repository
from modules.authorization.domain import IdToken, needs_no_token
from modules.authorization.errors import IdTokenExists, IdTokenNotFound
from modules.authorization.settings import AuthorizationSettings
from modules.kernel.errors import PreconditionFailed
from modules.kernel.work import Work
from shared_contracts.authorization import IdTokenChanged, JudgeToken, TokenJudged, TokenStatus


async def judge(work: Work, request: JudgeToken) -> TokenJudged:
    """Say whether a token may charge, in one statement."""
    if needs_no_token(request.token_type):
        return TokenJudged(status=TokenStatus.ACCEPTED)
    token = await repository.find_by_value(work, request.id_token)
    if token is None:
        accepted = work.resource(AuthorizationSettings).accept_unknown_tokens
        return TokenJudged(status=TokenStatus.ACCEPTED if accepted else TokenStatus.INVALID)
    return TokenJudged(
        status=token.status(work.now),
        expires_at=token.expires_at,
        group=token.group,
        driver_id=token.driver_id,
    )


async def register(work: Work, token: IdToken) -> IdToken:
    """Add a token. Raises IdTokenExists."""
    if not await repository.add(work, token):
        raise IdTokenExists(value=token.value)
    _publish(work, token)
    return token


async def get(work: Work, token_id: str) -> IdToken:
    """Find a token by its id. Raises IdTokenNotFound."""
    token = await repository.find(work, token_id)
    if token is None:
        raise IdTokenNotFound(token_id)
    return token


async def change(work: Work, token_id: str, changes: Mapping[str, Any], *, if_revision: int | None) -> IdToken:
    """Change a token. Raises IdTokenNotFound, and PreconditionFailed where another was quicker."""
    token = await repository.change(work, token_id, changes, if_revision=if_revision)
    if token is None:
        current = await get(work, token_id)
        raise PreconditionFailed(revision=current.revision)
    _publish(work, token)
    return token


async def remove(work: Work, token_id: str, *, if_revision: int | None) -> None:
    """Remove a token: from now on it is unknown. Errors as of `change`."""
    token = await repository.remove(work, token_id, if_revision=if_revision)
    if token is None:
        current = await get(work, token_id)
        raise PreconditionFailed(revision=current.revision)
    _publish(work, token, removed=True)


async def take_from_driver(work: Work, driver_id: str) -> None:
    """Let the tokens of a person belong to nobody; what they may do stays."""
    for token in await repository.take_from_driver(work, driver_id):
        _publish(work, token)


def _publish(work: Work, token: IdToken, *, removed: bool = False) -> None:
    work.publish(
        IdTokenChanged(
            id_token=token.value,
            status=TokenStatus.INVALID if removed else token.status(work.now),
            driver_id=token.driver_id,
            removed=removed,
        )
    )
