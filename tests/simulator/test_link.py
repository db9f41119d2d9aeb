"""The line of a station when it breaks."""

import asyncio
from types import SimpleNamespace
from typing import Any

import aiohttp

from simulator.link import Link
from simulator.outcome import Unanswered


async def test_a_station_whose_line_is_lost_gives_others_a_turn_before_it_sends_again() -> None:
    """Else nobody reads, so that nobody notices, and the next call fails at once too, for ever."""
    dropped: list[bool] = []

    async def send_str(_: str) -> None:
        raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")

    transport = SimpleNamespace(abort=lambda: dropped.append(True))
    socket: Any = SimpleNamespace(
        send_str=send_str, _response=SimpleNamespace(connection=SimpleNamespace(transport=transport))
    )
    link = Link(url="ws://localhost", station_id="CS1", subprotocol=None, password=None, session=aiohttp.ClientSession)
    link._socket = socket
    turns: list[bool] = []
    asyncio.get_running_loop().call_soon(lambda: turns.append(True))
    assert isinstance(await link.exchange("1", "[]", 1.0), Unanswered)
    assert turns
    assert dropped
