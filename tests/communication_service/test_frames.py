"""What is no WebSocket frame of a client, over raw sockets. RFC 6455 §5."""

import asyncio

import pytest

from communication_service.ocpp.versions import Version
from tests.communication_service.edge import edge
from tests.communication_service.stations import BINARY, CLOSE, PING, PONG

BEAT = '[2,"7","Heartbeat",{}]'
VERSIONS = pytest.mark.parametrize("version", Version)


@VERSIONS
@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"payload": BEAT, "opcode": BINARY}, 1003),
        ({"payload": b'[2,"\xff\xfe', "opcode": 1}, 1007),
        ({"payload": BEAT, "masked": False}, 1002),
        ({"payload": "", "masked": False}, 1002),
        ({"payload": BEAT, "opcode": 3}, 1002),
        ({"payload": BEAT, "opcode": 0}, 1002),
        ({"payload": BEAT, "flags": 0xC0}, 1002),
        ({"payload": BEAT, "flags": 0xA0}, 1002),
        ({"payload": "x" * 126, "opcode": PING}, 1002),
        ({"payload": "x" * (1024 * 1024 + 1)}, 1009),
        ({"payload": b"\x03", "opcode": CLOSE}, 1002),
    ],
    ids=str,
)
async def test_what_is_no_websocket_frame_of_a_client_closes_the_connection(
    frame: dict[str, object], code: int, version: Version
) -> None:
    async with edge() as e, e.raw(version) as socket, e.station(version, "CS2") as other:
        socket.send(**frame)

        assert await socket.closed() == code
        await other.silent()


@VERSIONS
async def test_a_message_in_fragments_with_a_ping_between_is_one_message(version: Version) -> None:
    async with edge() as e, e.raw(version) as socket:
        socket.send(BEAT[:5], flags=0)
        socket.send("hello", PING)
        for letter in BEAT[5:-1]:
            socket.send(letter, 0, flags=0)
        socket.send(BEAT[-1], 0)

        assert await socket.receive() == (0x80 | PONG, b"hello")
        assert (await socket.receive())[1].startswith(b'[3,"7"')


@VERSIONS
async def test_fragments_that_add_up_to_too_much_close_the_connection(version: Version) -> None:
    async with edge() as e, e.raw(version) as socket:
        socket.send("x" * 600_000, flags=0)
        socket.send("x" * 600_000, 0)

        assert await socket.closed() == 1009


@VERSIONS
async def test_a_station_that_is_still_sending_is_told_why_it_is_closed(version: Version) -> None:
    """Closing at once would make TCP reset the connection, and the close frame be lost with it."""
    async with edge() as e, e.raw(version) as socket:
        socket.send("x" * 20_000_000)
        await asyncio.sleep(0.2)
        await socket.writer.drain()

        assert await socket.closed() == 1009
