"""A PostgreSQL server of one's own, which a test may stop, kill, freeze and start again."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Self

from strum.embedded import EmbeddedPostgres

SETTINGS = ("max_connections=300",)  # several workers, each with services that have pools


class PrivatePostgres:
    """A server on `directory`; its URL and its data stay the same over `kill` and `start`.

    It waits for the disk (`durable`) as production does, so that a kill loses nothing that was committed.
    """

    def __init__(self, directory: Path, *, durable: bool = True) -> None:
        self.directory = directory
        self._server = EmbeddedPostgres(directory, durable=durable, settings=SETTINGS)
        self.url = self._server.url

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self._server.pid

    async def start(self) -> None:
        """Start the server and wait until it takes connections."""
        await asyncio.to_thread(self._server.start)

    async def stop(self) -> None:
        """Stop the server in order."""
        await asyncio.to_thread(self._server.stop)

    async def kill(self) -> None:
        """End the server as `kill -9` does."""
        await asyncio.to_thread(self._server.kill)

    async def restart(self) -> None:
        """Stop the server in order and start it again."""
        await self.stop()
        await self.start()

    def freeze(self) -> None:
        """Let the server take no new connections and end none, until `thaw`."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        os.kill(self.pid, signal.SIGCONT)
