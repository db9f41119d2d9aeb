"""Compression of messages: RFC 7692, which OCPP-J 2.0.1 part 4 §3.3 demands."""

import asyncio
import resource
import zlib

import orjson
import pytest

from communication_service.ocpp.versions import Version
from shared_contracts.commands import CommandAnswered, SetVariables, VariableChange
from shared_contracts.stations import MetersSampled
from tests.communication_service.edge import Edge, edge
from tests.communication_service.phrases import meters
from tests.communication_service.stations import CLOSE, RawSocket

OFFER = {"Sec_WebSocket_Extensions": "permessage-deflate; client_max_window_bits"}
AGREED = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
NAMED = {"component": {"name": "C"}, "variable": {"name": "N"}}
BEAT = '[2,"7","Heartbeat",{}]'
VERSIONS = pytest.mark.parametrize("version", Version)


def deflated(text: str | bytes, window: int = 15) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -window)
    data = text.encode() if isinstance(text, str) else text
    return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")


def inflated(payload: bytes, window: int = 15) -> bytes:
    return zlib.decompressobj(-window).decompress(payload + b"\x00\x00\xff\xff")


@pytest.mark.parametrize(
    ("offer", "agreed"),
    [
        ("permessage-deflate", AGREED),
        ("permessage-deflate; client_max_window_bits", AGREED),
        ("permessage-deflate; server_no_context_takeover", AGREED),
        ("permessage-deflate; server_max_window_bits=10", f"{AGREED}; server_max_window_bits=10"),
        ("permessage-deflate; server_max_window_bits=8", None),
        ("permessage-deflate; frogs=1", None),
        ("x-webkit-deflate-frame", None),
        (None, None),
    ],
)
async def test_compression_is_agreed_on_without_context_takeover(offer: str | None, agreed: str | None) -> None:
    async with edge() as e, RawSocket.dialled(e.communication.port) as socket:
        _, headers = await socket.upgrade("CS1", **({"Sec_WebSocket_Extensions": offer} if offer else {}))

        assert headers.get("sec-websocket-extensions") == agreed


async def test_compressed_messages_are_read_one_by_one_and_mixed_with_plain_ones() -> None:
    async with edge() as e, e.raw(Version.V16, **OFFER) as socket:
        for number in range(3):
            socket.send(deflated(f'[2,"c{number}","Heartbeat",{{}}]'), flags=0xC0)
            socket.send(f'[2,"p{number}","Heartbeat",{{}}]')
        answers = [orjson.loads((await socket.receive())[1]) for _ in range(6)]

        assert [answer[1] for answer in answers] == ["c0", "p0", "c1", "p1", "c2", "p2"]


async def test_a_compressed_message_may_come_in_fragments() -> None:
    async with edge() as e, e.raw(**OFFER) as socket:
        whole = deflated(BEAT)
        socket.send(whole[:4], flags=0x40)
        socket.send("", 9)
        socket.send(whole[4:8], 0, flags=0)
        socket.send(whole[8:], 0)
        await socket.receive()

        assert (await socket.receive())[1].startswith(b'[3,"7"')


@pytest.mark.parametrize("window", [10, 15])
async def test_long_messages_to_the_station_are_compressed_within_its_window(window: int) -> None:
    offer = f"permessage-deflate; server_max_window_bits={window}"
    async with edge() as e, e.raw(Version.V21, Sec_WebSocket_Extensions=offer) as socket:
        for _ in range(2):
            telling = _told(e)
            first, payload = await socket.receive()
            call = orjson.loads(inflated(payload, window))
            socket.send(orjson.dumps([4, call[1], "GenericError", "", {}]))
            await telling

            assert first == 0xC1
            assert call[3]["setVariableData"][0]["attributeValue"] == "x" * 2000
        socket.send(BEAT)
        assert (await socket.receive())[0] == 0x81


async def test_the_client_of_aiohttp_compresses_with_us_both_ways() -> None:
    async with edge() as e, e.station(Version.V21, compress=15) as station:
        assert station.socket.compress
        for _ in range(3):
            telling = _told(e)
            await station.answer({"setVariableResult": [{"attributeStatus": "Accepted"} | NAMED]})
            await telling
            await station.send(meters(Version.V21, vendor="y" * 500))
            assert (await station.receive())[:2] == [3, "7"]
        assert len(await e.hears(MetersSampled)) == 1  # the same text is the same message


@VERSIONS
async def test_a_deflate_bomb_is_refused_without_being_inflated(version: Version) -> None:
    bomb = deflated(b"x" * (1024 * 1024 * 100))
    assert len(bomb) < 1024 * 1024
    async with edge() as e, e.raw(version, **OFFER) as socket:
        before = _peak_kib()
        socket.send(bomb, flags=0xC0)

        assert await socket.closed() == 1009
        assert _peak_kib() - before < 16 * 1024


@VERSIONS
@pytest.mark.parametrize(("size", "alive"), [(1024 * 1024 - 200, True), (1024 * 1024 + 200, False)])
async def test_the_limit_is_on_the_inflated_size(size: int, alive: bool, version: Version) -> None:
    text = f'[2,"7","Heartbeat",{{"a":"{"x" * (size - 30)}"}}]'
    async with edge() as e, e.raw(version, **OFFER) as socket:
        socket.send(deflated(text.ljust(size)), flags=0xC0)
        first, payload = await socket.receive()

        if alive:
            assert payload.startswith(b'[3,"7"')
        else:
            assert (first & 0xF, int.from_bytes(payload[:2])) == (CLOSE, 1009)


@VERSIONS
@pytest.mark.parametrize(
    "frames",
    [
        [{"payload": b"\xff\xff\xff", "flags": 0xC0}],
        [{"payload": b"", "opcode": 0, "flags": 0xC0}],
        [{"payload": deflated(BEAT), "flags": 0x40}, {"payload": BEAT}],
    ],
    ids=["no deflate", "continues nothing", "another begins in the middle"],
)
async def test_broken_compression_closes_the_connection(frames: list[dict[str, object]], version: Version) -> None:
    async with edge() as e, e.raw(version, **OFFER) as socket:
        for frame in frames:
            socket.send(**frame)

        assert await socket.closed() == 1002


def _told(e: Edge) -> "asyncio.Task[CommandAnswered]":
    change = VariableChange(component="C", name="N", value="x" * 2000)
    return asyncio.create_task(e.tell(SetVariables(variables=(change,))))


def _peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
