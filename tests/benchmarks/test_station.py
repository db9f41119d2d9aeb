import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import orjson
import pytest
from aiohttp import WSMsgType, web

from benchmarks import frames
from benchmarks.messages import MeterValues
from benchmarks.station import Refused, Station
from communication_service.ocpp import schemas
from communication_service.ocpp.versions import Version

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def test_meter_values_are_valid_about_a_kilobyte_and_of_one_length() -> None:
    messages = MeterValues(transaction_id=77)
    first, second = messages.frame(1), messages.frame(999_999)

    kind, message_id, action, payload = orjson.loads(first[-messages.size :])
    assert (kind, message_id, action, payload["transactionId"]) == (2, "0000000001", "MeterValues", 77)
    assert schemas.judge(Version.V16, action, payload, strict=True).refused == ()
    assert len(first) == len(second)
    assert 900 <= messages.size <= 1200


async def test_an_incomplete_frame_is_waited_for() -> None:
    whole = bytes((0x81, 126, 1, 0)) + bytes(256)

    assert [frames.server_frame(whole[:size], 0) for size in (1, 3, 259)] == [None] * 3
    assert frames.server_frame(whole + b"more", 0) == (1, 4, 260)


async def test_a_station_converses_with_a_real_server() -> None:
    heard: list[str] = []

    async def converse(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("ocpp1.6",))
        await socket.prepare(request)
        await socket.ping(b"there?")
        async for message in socket:
            assert message.type is WSMsgType.TEXT
            heard.append(message.data)
            if message.data.startswith("[2"):
                await socket.send_str('[2,"c1","Reset",{"type":"Soft"}]')
                await socket.send_str('[3,"0000000005",{}]')
        return socket

    async with serving(converse) as port:
        station = await connected(port)
        answered: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        station.on_answer = lambda _, latency_s: answered.set_result(latency_s)
        station.number = 5
        station.call(MeterValues().frame(5))

        assert 0 < await asyncio.wait_for(answered, 5) < 5
        station.close()
        await asyncio.wait_for(station.closed, 5)

    assert [text[:8] for text in heard] == ['[2,"0000', '[3,"c1",']
    assert station.strays == 0


async def test_a_station_that_is_refused_says_so() -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=401)

    async with serving(refuse) as port:
        with pytest.raises(Refused, match="401"):
            await connected(port)


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[int]:
    application = web.Application()
    application.router.add_get("/ocpp/CP-1", handler)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def connected(port: int) -> Station:
    request = frames.upgrade("/ocpp/CP-1", "ocpp1.6", "CP-1", "secret")
    _, station = await asyncio.get_running_loop().create_connection(lambda: Station(request), "127.0.0.1", port)
    await asyncio.wait_for(station.opened, 5)
    return station
