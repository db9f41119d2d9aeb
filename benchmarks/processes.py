"""Processes of the benchmark's own: the load generator, the echo, the stand-ins."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson

_START_S = 30.0
_ANSWER_S = 120.0
_STOP_S = 10.0


class ProcessEnded(Exception):
    """A process of the benchmark ended before it should; its message went to standard error."""


class Process:
    """`python -m <module> <arguments>`, running and ready; speaks JSON lines if the module does."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = process.pid

    async def ask(self, do: str, /, **arguments: Any) -> dict[str, Any]:
        """Have it do something, and wait for the answer. Raises ProcessEnded."""
        assert self._process.stdin is not None
        self._process.stdin.write(orjson.dumps({"do": do, **arguments}) + b"\n")
        answer: dict[str, Any] = orjson.loads(await self.line(_ANSWER_S))
        return answer

    async def line(self, within_s: float) -> bytes:
        """The next line that it prints."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), within_s)
        if not line:
            raise ProcessEnded(f"process {self.pid} ended")
        return line

    async def stop(self) -> None:
        """End it, if it has not ended."""
        if self._process.returncode is None:
            self._process.kill()
        await asyncio.wait_for(self._process.wait(), _STOP_S)


@asynccontextmanager
async def running(module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> AsyncIterator[Process]:
    """Start a module of this package that prints a line once it is ready; it is ended afterwards."""
    process = Process(
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"benchmarks.{module}",
            *arguments,
            env=environment or os.environ,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
    )
    try:
        await process.line(_START_S)
        yield process
    finally:
        await process.stop()
