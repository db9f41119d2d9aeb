"""The API of id tokens."""

from modules.authorization import repository, service
from modules.authorization.domain import IdToken
from modules.authorization.schemas import IdTokenChanges, IdTokenFilter, IdTokenView, NewIdToken
from modules.kernel.http import (
    Call,
    Created,
    NoQuery,
    Page,
    decode_cursor,
    delete,
    get,
    page_of,
    patch,
    post,
)
from modules.kernel.scopes import Scope
from modules.kernel.work import Work
from shared_contracts.authorization import TokenStatus
from shared_contracts.message import new_id


async def list_id_tokens(call: Call[IdTokenFilter, None], work: Work) -> Page[IdTokenView]:
    """List id tokens, in the order of their values."""
    query = call.query
    wanted = [
        repository.with_column(name, value)
        for name in ("type", "driver_id", "group")
        if (value := getattr(query, name)) is not None
    ]
    if query.status is not None:
        wanted.append(repository.with_status(TokenStatus(query.status), work.now))
    if query.search is not None:
        wanted.append(repository.with_text(query.search))
    (after,) = decode_cursor(query.cursor, str) or (None,)
    found = await repository.browse(work, wanted=wanted, after=after, limit=query.limit + 1)
    return page_of(found, query, lambda item: IdTokenView.of(item[1], work.now), lambda item: item[:1])


async def register_id_token(call: Call[NoQuery, NewIdToken], work: Work) -> Created[IdTokenView]:
    """Register an id token."""
    new = call.body
    token = IdToken(
        id=new_id(),
        value=new.value,
        type=new.type,
        permission=new.status,
        expires_at=new.expires_at,
        group=new.group,
        driver_id=new.driver_id,
        label=new.label,
        revision=1,
        created_at=work.now,
        updated_at=work.now,
    )
    await service.register(work, token)
    return Created(IdTokenView.of(token, work.now), f"/id-tokens/{token.id}")


async def get_id_token(call: Call[NoQuery, None], work: Work) -> IdTokenView:
    """Show an id token."""
    return IdTokenView.of(await service.get(work, call.path["token_id"]), work.now)


async def change_id_token(call: Call[NoQuery, IdTokenChanges], work: Work) -> IdTokenView:
    """Change an id token: block it, let it expire, give it to a driver."""
    changes = call.body.columns()
    token = await service.change(work, call.path["token_id"], changes, if_revision=call.if_match)
    return IdTokenView.of(token, work.now)


async def remove_id_token(call: Call[NoQuery, None], work: Work) -> None:
    """Remove an id token: it is unknown from then on. Its transactions stay."""
    await service.remove(work, call.path["token_id"], if_revision=call.if_match)


table = (
    get("/id-tokens", list_id_tokens, Scope.TOKENS_READ),
    post("/id-tokens", register_id_token, Scope.TOKENS_WRITE, status=201, problems=(409,)),
    get("/id-tokens/{token_id}", get_id_token, Scope.TOKENS_READ, problems=(404,)),
    patch("/id-tokens/{token_id}", change_id_token, Scope.TOKENS_WRITE, problems=(404, 412)),
    delete("/id-tokens/{token_id}", remove_id_token, Scope.TOKENS_WRITE, problems=(404, 412)),
)
