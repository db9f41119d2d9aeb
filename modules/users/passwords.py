"""Passwords: argon2id in threads of its own, a few at a time, so that signing in never holds up the event loop."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from modules.kernel.errors import Unavailable
from modules.users.settings import UsersSettings

T = TypeVar("T")

_MOST_WAITING = 50
"""A hash takes about 0.1 s; who would wait for longer than a few seconds is told to come again."""


class Passwords:
    """Hashes and verifies. Raises Unavailable when too many wait already."""

    def __init__(self, hasher: PasswordHasher, threads: ThreadPoolExecutor, decoy: str) -> None:
        self._hasher = hasher
        self._threads = threads
        self._decoy = decoy
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """The hash to store, with its parameters and salt."""
        return await self._in_thread(lambda: self._hasher.hash(password))

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether this is the password. Without a stored hash the same work is done, and the answer is False."""
        matches = await self._in_thread(lambda: _matches(self._hasher, stored or self._decoy, password))
        return matches and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than those of today."""
        return self._hasher.check_needs_rehash(stored)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._waiting >= _MOST_WAITING:
            raise Unavailable("Too many sign in at this moment.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


@asynccontextmanager
async def open_passwords(settings: UsersSettings) -> AsyncIterator[Passwords]:
    """Start the threads; a decoy hash is made for accounts that do not exist."""
    hasher = PasswordHasher(time_cost=settings.password_passes, memory_cost=settings.password_memory_kib, parallelism=1)
    threads = ThreadPoolExecutor(settings.password_threads, thread_name_prefix="passwords")
    try:
        decoy = await asyncio.get_running_loop().run_in_executor(threads, hasher.hash, secrets.token_hex(16))
        yield Passwords(hasher, threads, decoy)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


def _matches(hasher: PasswordHasher, stored: str, password: str) -> bool:
    try:
        return hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
