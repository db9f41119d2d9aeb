"""T1: who cannot prove to be a station gets no upgrade, and learns nothing from the refusal. J16 §3.2, WP §2.3."""

import statistics
import time
from typing import Any

import pytest

from shared_contracts.stations import StationConnected
from tests.communication_service.edge import Edge, edge
from tests.communication_service.stations import RawSocket
from tests.communication_service.test_admission import basic, locked
from tests.figures import Figure
from tests.security.dialling import connected

SHOWN = {
    "nothing": None,
    "blank": "",
    "blank Basic": "Basic ",
    "a wrong password": basic("CS1", b"wrong"),
    "no password": basic("CS1", b""),
    "another's name": basic("CS2", b"secret"),
    "no name": basic("", b"secret"),
    "a name in other case": basic("cs1", b"secret"),
    "no Base64": "Basic !!!",
    "another scheme": "Bearer secret",
    "the hash": basic("CS1", b"salt"),
    "a long password": basic("CS1", b"x" * 4000),
}


async def answer(e: Edge, path: str, authorization: str | None) -> tuple[int, bytes, dict[str, str]]:
    """The whole answer to an upgrade: status, body, headers but the date."""
    more = {} if authorization is None else {"Authorization": authorization}
    async with RawSocket.dialled(e.communication.port) as socket:
        status, headers = await socket.upgrade(path, **more)
        body = await socket.reader.readexactly(int(headers.get("content-length", "0")))
        return status, body, {name: value for name, value in headers.items() if name != "date"}


@pytest.mark.parametrize("shown", SHOWN)
async def test_without_proof_there_is_no_upgrade(shown: str) -> None:
    async with edge(modules=locked()) as e:
        status, body, headers = await answer(e, "CS1", SHOWN[shown])

        assert status == 401
        assert headers["www-authenticate"].startswith("basic realm=")
        assert "sec-websocket-accept" not in headers
        assert b"secret" not in body
        assert e.heard(StationConnected) == []


@pytest.mark.parametrize(("hidden", "unknown"), [(False, 404), (True, 401)])
async def test_an_unknown_station_is_told_apart_by_the_status_alone_or_not_at_all(hidden: bool, unknown: int) -> None:
    async with edge(modules=locked(), hide_unknown_stations=hidden) as e:
        wrong = await answer(e, "CS1", basic("CS1", b"wrong"))
        stranger = await answer(e, "CS9", basic("CS9", b"wrong"))

        assert (wrong[0], stranger[0]) == (401, unknown)
        if hidden:
            assert wrong == stranger


async def test_an_unknown_station_takes_as_long_to_refuse_as_a_wrong_password(figure: Figure) -> None:
    """Interleaved, so that what the machine does meanwhile hits both: the medians differ by less than a tenth."""
    limits: dict[str, Any] = {"failures_per_station": 10**6, "failures_per_source": 10**6, "handshakes_per_s": 10**6}
    async with edge(modules=locked(), hide_unknown_stations=True, **limits) as e:
        for _ in range(3):
            apart = await _difference(e)
            if apart < 0.1:
                break
        figure("T1", "refusals of a known and an unknown station take times apart by", 100 * apart, "%", at_most=10)


async def _difference(e: Edge) -> float:
    took: dict[str, list[float]] = {"CS1": [], "CS9": []}
    for turn in range(600):
        station_id = ("CS1", "CS9")[turn % 2]
        async with connected(e, "127.0.0.1") as socket:
            begun = time.perf_counter()
            await socket.upgrade(station_id, Authorization=basic(station_id, b"wrong"))
            took[station_id].append(time.perf_counter() - begun)
    known, unknown = (statistics.median(times) for times in took.values())
    return abs(known - unknown) / known
