"""A command that tests give, and what the API shows of it."""

import asyncio
from typing import Any

from tests.harness import Running

COMMANDS = "/charging-stations/CS1/commands"
RESET = {"type": "reset", "when": "immediate"}


async def read_command(strum: Running, command_id: str) -> dict[str, Any]:
    """The command as the API shows it."""
    status, body = await strum.api().get(f"/commands/{command_id}")
    assert status == 200
    return dict(body)


async def become(strum: Running, command_id: str, state: str, *, within_s: float = 5.0) -> dict[str, Any]:
    """Wait until the command is in this state; returns it as the API shows it."""
    deadline = asyncio.get_running_loop().time() + within_s
    while (shown := await read_command(strum, command_id))["state"] != state:
        assert asyncio.get_running_loop().time() < deadline, f"{shown['state']}, not {state}"
        await asyncio.sleep(0.02)
    return shown
