"""The door, over real sockets: paths, subprotocols, and when nobody is let in. OCPP-J 1.6 §3, 2.0.1 part 4 §3."""

from contextlib import AsyncExitStack
from urllib.parse import quote

import pytest

from communication_service.ocpp.versions import Version
from shared_contracts.charge_points import GetStationAccess
from shared_contracts.stations import StationConnected
from tests.communication_service.edge import edge
from tests.communication_service.fakes import fakes
from tests.communication_service.stations import RawSocket
from tests.communication_service.test_admission import LOCKED, basic, dial, locked


@pytest.mark.parametrize(
    ("path", "station_id"),
    [
        ("RDAM%20123", "RDAM 123"),
        ("%52DAM", "RDAM"),
        ("a%2Fb", "a/b"),
        ("%D0%B6", "ж"),
        ("a%25b", "a%b"),
        ("a+b", "a+b"),
    ],
)
async def test_the_identity_is_percent_decoded(path: str, station_id: str) -> None:
    access = LOCKED.model_copy(update={"security_profile": 1})
    async with edge(modules=locked(**{station_id: access})) as e:
        assert (await dial(e, path, Authorization=basic(station_id, b"secret")))[0] == 101
        [event] = await e.hears(StationConnected)

        assert event.station_id == station_id
        assert event.remote_address == "127.0.0.1"


@pytest.mark.parametrize("path", ["", "x" * 49, quote("ж" * 49), "a%00b", "a%0Ab", "a/b", "a/"])
async def test_what_is_no_identity_is_not_found_and_not_asked_for(path: str) -> None:
    modules = fakes()
    async with edge(modules=modules) as e:
        assert (await dial(e, path))[0] == 404
        assert e.asked(GetStationAccess) == []
        assert (await dial(e, "x" * 48))[0] == 101


async def test_nobody_is_let_in_while_events_cannot_become_durable() -> None:
    async with edge() as e:
        await e.bus.stop()
        status, headers = await dial(e)

        assert status == 503
        assert int(headers["retry-after"]) > 0


@pytest.mark.parametrize("protocol", [None, "ocpp2.0", "ocpp1.5, soap"])
async def test_without_a_common_subprotocol_the_connection_is_opened_and_closed(protocol: str | None) -> None:
    async with edge() as e, RawSocket.dialled(e.communication.port) as socket:
        status, headers = await socket.upgrade("CS1", protocol=protocol)

        assert status == 101
        assert "sec-websocket-protocol" not in headers
        assert await socket.closed() == 1002
        assert e.heard(StationConnected) == []


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ("ocpp2.1, ocpp2.0.1", "2.1"),
        ("ocpp2.0.1,ocpp2.1", "2.0.1"),
        ("ocpp1.6, ocpp2.1", "1.6"),
        ("ocpp9, ocpp2.0.1", "2.0.1"),
    ],
)
async def test_the_first_subprotocol_of_the_station_that_we_speak_is_chosen(offered: str, chosen: str) -> None:
    async with edge() as e, RawSocket.dialled(e.communication.port) as socket:
        _, headers = await socket.upgrade("CS1", protocol=offered)
        [event] = await e.hears(StationConnected)

        assert headers["sec-websocket-protocol"] == f"ocpp{chosen}"
        assert event.ocpp_version == chosen


async def test_all_versions_are_spoken_on_one_port() -> None:
    async with edge() as e, AsyncExitStack() as stack:
        for version in Version:
            station = await stack.enter_async_context(e.station(version, f"CS{version}"))
            await station.silent()
        events = await e.hears(StationConnected, 3)

        assert [(event.station_id, event.ocpp_version) for event in events] == [(f"CS{v}", v) for v in Version]


async def test_a_plain_request_is_told_to_upgrade() -> None:
    async with edge() as e, e.http.get(e.url + "CS1") as response:
        assert response.status == 400


async def test_a_connection_that_never_finishes_its_request_is_dropped() -> None:
    async with edge(open_timeout_s=0.2) as e, RawSocket.dialled(e.communication.port) as socket:
        socket.writer.write(b"GET /ocpp/CS1 HTTP/1.1\r\nHost:")

        assert await socket.closed() is None
