"""People with real accounts, sessions and keys."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from shared_contracts.users import CreateUser, Role
from tests.harness import Client, Running, running

PASSWORD = "correct horse battery"
QUICK = {"password_memory_kib": 19_456, "password_passes": 2}


@asynccontextmanager
async def users(database: str, *modules: str, **settings: Any) -> AsyncIterator[Running]:
    """The module on its own, or with others; passwords are hashed as cheaply as is allowed."""
    async with running(database, "users", *modules, users=QUICK | settings) as strum:
        yield strum


async def account(strum: Running, email: str, role: Role = Role.ADMIN) -> str:
    """Make an account with PASSWORD; returns its id."""
    return (await strum.ask(CreateUser(email=email, role=role, password=PASSWORD))).user_id


async def sign_in(strum: Running, email: str, password: str = PASSWORD) -> dict[str, Any]:
    """Sign in, successfully."""
    status, session = await strum.nobody().post("/sessions", {"email": email, "password": password})
    assert status == 200, session
    return session


async def client(strum: Running, email: str, role: Role = Role.ADMIN) -> Client:
    """The API as a new person with a real access token."""
    await account(strum, email, role)
    return bearer(strum, (await sign_in(strum, email))["access_token"])


def bearer(strum: Running, credential: str) -> Client:
    """The API with these credentials."""
    nobody = strum.nobody()
    return Client(nobody.session, nobody.base, {"Authorization": f"Bearer {credential}"})


async def comes_to(call: Callable[[], Awaitable[tuple[int, Any]]], status: int) -> None:
    """Repeat a call until it is answered with this status: what was changed is heard within moments."""
    async with asyncio.timeout(5):
        while (await call())[0] != status:
            await asyncio.sleep(0.02)
