"""Stations that knock from an address of their choice: all of 127.0.0.0/8 is the loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.communication_service.edge import Edge
from tests.communication_service.stations import RawSocket


@asynccontextmanager
async def connected(e: Edge, source: str) -> AsyncIterator[RawSocket]:
    """A TCP connection from this address."""
    reader, writer = await asyncio.open_connection("127.0.0.1", e.communication.port, local_addr=(source, 0))
    try:
        yield RawSocket(reader, writer)
    finally:
        writer.transport.abort()


async def knock(e: Edge, source: str, station_id: str = "CS1", **headers: str) -> tuple[int, dict[str, str]]:
    """Ask for the upgrade, and go; the status and the headers."""
    async with connected(e, source) as socket:
        return await socket.upgrade(station_id, **headers)
