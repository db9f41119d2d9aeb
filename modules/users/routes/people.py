"""People, and the caller among them."""

from modules.kernel.http import (
    Call,
    Created,
    NoQuery,
    Page,
    decode_cursor,
    delete,
    encode_cursor,
    get,
    patch,
    post,
    put,
)
from modules.kernel.scopes import Scope
from modules.kernel.work import Work
from modules.users import people
from modules.users.repository import people as repository
from modules.users.schemas.people import (
    NewUser,
    NewUserView,
    OwnChanges,
    OwnNewPassword,
    OwnView,
    UserChanges,
    UserFilter,
    UserPassword,
    UserView,
)


async def list_users(call: Call[UserFilter, None], work: Work) -> Page[UserView]:
    """List people, in the order of their email addresses."""
    query = call.query
    wanted = [
        repository.with_column(name, value)
        for name in ("role", "active")
        if (value := getattr(query, name)) is not None
    ]
    if query.search is not None:
        wanted.append(repository.with_text(query.search))
    position = decode_cursor(query.cursor, str)
    after = None if position is None else position[0]
    found = await repository.browse(work, wanted=wanted, after=after, limit=query.limit + 1)
    shown = found[: query.limit]
    return Page[UserView](
        items=[UserView.of(user) for _, user in shown],
        next_cursor=encode_cursor(shown[-1][0]) if len(found) > len(shown) else None,
    )


async def create_user(call: Call[NoQuery, NewUser], work: Work) -> Created[NewUserView]:
    """Make an account. A password that is not given is made, and shown in this answer only."""
    new = call.body
    password = None if new.password is None else new.password.get_secret_value()
    user, generated = await people.create(
        work, email=new.email, name=new.name, role=new.role, password=password, by=call.principal
    )
    view = NewUserView(**UserView.of(user).model_dump(), password=generated)
    return Created(view, f"/users/{user.id}")


async def get_user(call: Call[NoQuery, None], work: Work) -> UserView:
    """Show a person."""
    return UserView.of(await people.get(work, call.path["user_id"]))


async def change_user(call: Call[NoQuery, UserChanges], work: Work) -> UserView:
    """Change a person.

    Who is made inactive is signed out everywhere, and their API keys rest. Access tokens that say another role than
    they now have hold no longer.
    """
    changes = call.body.columns()
    by = call.principal
    return UserView.of(await people.change(work, call.path["user_id"], changes, if_revision=call.if_match, by=by))


async def remove_user(call: Call[NoQuery, None], work: Work) -> None:
    """Remove a person, with their sessions and API keys. What they did stays."""
    await people.remove(work, call.path["user_id"], if_revision=call.if_match, by=call.principal)


async def set_password(call: Call[NoQuery, UserPassword], work: Work) -> None:
    """Give a person another password. They are signed out everywhere."""
    password = call.body.password.get_secret_value()
    await people.set_password(work, call.path["user_id"], password, by=call.principal)


async def get_me(call: Call[NoQuery, None], work: Work) -> OwnView:
    """Show the caller."""
    return OwnView.seen_by(await people.get(work, call.principal.user_id), call.principal)


async def change_me(call: Call[NoQuery, OwnChanges], work: Work) -> OwnView:
    """Change the caller's name."""
    user = await people.rename(work, call.principal.user_id, call.body.name, if_revision=call.if_match)
    return OwnView.seen_by(user, call.principal)


async def change_own_password(call: Call[NoQuery, OwnNewPassword], work: Work) -> None:
    """Change the caller's password. All their sessions end: sign in again."""
    body = call.body
    await people.change_own_password(
        work,
        call.principal.user_id,
        current=body.current_password.get_secret_value(),
        new=body.password.get_secret_value(),
        source=call.source,
    )


table = (
    get("/users", list_users, Scope.USERS_READ),
    post("/users", create_user, Scope.USERS_WRITE, status=201, acts=False, problems=(409,)),
    get("/users/{user_id}", get_user, Scope.USERS_READ, problems=(404,)),
    patch("/users/{user_id}", change_user, Scope.USERS_WRITE, problems=(404, 409, 412)),
    delete("/users/{user_id}", remove_user, Scope.USERS_WRITE, problems=(404, 409, 412)),
    put("/users/{user_id}/password", set_password, Scope.USERS_WRITE, problems=(404,)),
    get("/me", get_me, Scope.PROFILE, problems=(404,)),
    patch("/me", change_me, Scope.PROFILE, problems=(404, 412)),
    put("/me/password", change_own_password, Scope.PROFILE, problems=(403, 404, 429)),
)
