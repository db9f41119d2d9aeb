"""API keys."""

from modules.kernel.http import Call, Created, NoQuery, Page, decode_cursor, delete, encode_cursor, get, post
from modules.kernel.scopes import Scope
from modules.kernel.work import Work
from modules.users import api_keys
from modules.users.repository import api_keys as repository
from modules.users.schemas.api_keys import ApiKeyFilter, ApiKeyView, NewApiKey, NewApiKeyView


async def list_api_keys(call: Call[ApiKeyFilter, None], work: Work) -> Page[ApiKeyView]:
    """List API keys: one's own, or everybody's for those who may read users."""
    query, caller = call.query, call.principal
    position = decode_cursor(query.cursor, str)
    found = await repository.browse(
        work,
        user_id=query.user_id if caller.may(Scope.USERS_READ) else caller.user_id,
        after=None if position is None else position[0],
        limit=query.limit + 1,
    )
    shown = found[: query.limit]
    return Page[ApiKeyView](
        items=[ApiKeyView.of(key) for key in shown],
        next_cursor=encode_cursor(shown[-1].id) if len(found) > len(shown) else None,
    )


async def create_api_key(call: Call[NoQuery, NewApiKey], work: Work) -> Created[NewApiKeyView]:
    """Make an API key. It is shown in this answer only.

    This takes somebody who signed in: with an API key as credentials the answer is 403.
    """
    new = call.body
    key, secret = await api_keys.create(
        work, name=new.name, role=new.role, scopes=new.scopes, expires_at=new.expires_at, by=call.principal
    )
    return Created(NewApiKeyView(**ApiKeyView.of(key).model_dump(), key=secret), f"/api-keys/{key.id}")


async def get_api_key(call: Call[NoQuery, None], work: Work) -> ApiKeyView:
    """Show an API key, without its text."""
    return ApiKeyView.of(await api_keys.get(work, call.path["key_id"], by=call.principal, scope=Scope.USERS_READ))


async def revoke_api_key(call: Call[NoQuery, None], work: Work) -> None:
    """Revoke an API key: it opens nothing from now on."""
    await api_keys.revoke(work, call.path["key_id"], by=call.principal)


table = (
    get("/api-keys", list_api_keys, Scope.PROFILE),
    post("/api-keys", create_api_key, Scope.PROFILE, status=201, acts=False, problems=(403, 409)),
    get("/api-keys/{key_id}", get_api_key, Scope.PROFILE, problems=(404,)),
    delete("/api-keys/{key_id}", revoke_api_key, Scope.PROFILE, problems=(404,)),
)
