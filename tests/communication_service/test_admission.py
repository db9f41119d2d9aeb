"""Credentials, over real sockets: checked before the upgrade. Security whitepaper §2.3; OCPP 2.0.1 A00."""

import asyncio
import base64
import time

import pytest

from communication_service.admission import password_hash
from shared_contracts.bus import RequestFailed
from shared_contracts.charge_points import (
    GetStationAccess,
    HashedPassword,
    Registration,
    StationAccess,
    StationAccessChanged,
    password_name,
)
from shared_contracts.message import Envelope
from shared_contracts.stations import StationConnected
from tests.communication_service.edge import Edge, edge, until
from tests.communication_service.fakes import Modules, fakes
from tests.communication_service.stations import RawSocket

KEY = bytes(range(0x80, 0x94))  # 20 bytes that are no UTF-8
LOCKED = StationAccess(
    known=True,
    registration=Registration.ACCEPTED,
    security_profile=1,
    password_salt="salt",
    password_hash=password_hash("salt", b"secret"),
)
UNKNOWN = StationAccess(known=False)


def basic(username: str, password: bytes) -> str:
    return "Basic " + base64.b64encode(username.encode() + b":" + password).decode()


def locked(**access: StationAccess) -> Modules:
    modules = fakes()
    modules.default = UNKNOWN
    modules.access = {"CS1": LOCKED} | access
    return modules


async def dial(e: Edge, path: str = "CS1", **headers: str) -> tuple[int, dict[str, str]]:
    async with RawSocket.dialled(e.communication.port) as socket:
        return await socket.upgrade(path, **headers)


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (basic("CS1", b"secret"), 101),
        (basic("CS1", b"wrong"), 401),
        (basic("CS1", b""), 401),
        (basic("CS2", b"secret"), 401),
        (basic("cs1", b"secret"), 401),
        (basic("", b"secret"), 401),
        ("Basic !!!", 401),
        ("Basic \xff\xfe", 401),
        ("Basic " + base64.b64encode(b"no colon").decode(), 401),
        ("Bearer secret", 401),
        ("", 401),
    ],
)
async def test_only_the_right_credentials_are_let_in(authorization: str, status: int) -> None:
    async with edge(modules=locked()) as e:
        got, headers = await dial(e, Authorization=authorization)

        assert got == status
        assert ("www-authenticate" in headers) == (status == 401)
        assert "sec-websocket-accept" not in headers or status == 101


async def test_without_credentials_only_a_station_marked_so_is_let_in() -> None:
    marked = StationAccess(known=True, registration=Registration.ACCEPTED, security_profile=0)
    async with edge(modules=locked(OPEN=marked)) as e:
        assert (await dial(e))[0] == 401
        assert (await dial(e, "OPEN"))[0] == 101


@pytest.mark.parametrize(
    "hashed", [KEY, KEY.hex().encode(), KEY.hex().upper().encode()], ids=["as bytes", "as text", "as upper case text"]
)
async def test_an_authorization_key_may_be_sent_as_its_bytes_or_as_its_digits(hashed: bytes) -> None:
    access = LOCKED.model_copy(update={"password_hash": password_hash("salt", hashed)})
    async with edge(modules=locked(CS1=access)) as e:
        assert (await dial(e, Authorization=basic("CS1", KEY)))[0] == 101
        assert (await dial(e, Authorization=basic("CS1", hashed)))[0] == 101
        assert (await dial(e, Authorization=basic("CS1", KEY[:-1] + b"\0")))[0] == 401


async def test_an_unknown_station_is_not_found_whatever_it_shows() -> None:
    async with edge(modules=locked()) as e:
        assert (await dial(e, "CS2"))[0] == 404
        assert (await dial(e, "CS2", Authorization=basic("CS2", b"secret")))[0] == 404


async def test_nobody_is_let_in_whom_nobody_can_vouch_for() -> None:
    modules = fakes()

    def fail(_: GetStationAccess) -> StationAccess:
        raise RequestFailed("internal", "no database")

    modules.replies[GetStationAccess] = fail
    async with edge(modules=modules) as e:
        assert (await dial(e))[0] == 503
        modules.replies[GetStationAccess] = modules.known
        assert (await dial(e))[0] == 101


async def test_credentials_are_remembered_until_they_change() -> None:
    modules = locked()
    async with edge(modules=modules) as e:
        for _ in range(3):
            assert (await dial(e, Authorization=basic("CS1", b"secret")))[0] == 101
        assert len(e.asked(GetStationAccess)) == 1

        modules.access["CS1"] = LOCKED.model_copy(update={"password_hash": password_hash("salt", b"new")})
        await e.bus.publish(Envelope.of(StationAccessChanged(station_id="CS1")))

        assert (await dial(e, Authorization=basic("CS1", b"secret")))[0] == 401
        assert (await dial(e, Authorization=basic("CS1", b"new")))[0] == 101


async def test_what_changed_while_the_broker_was_away_is_asked_again() -> None:
    modules = locked()
    async with edge(modules=modules) as e:
        assert (await dial(e, Authorization=basic("CS1", b"secret")))[0] == 101
        modules.access["CS1"] = LOCKED.model_copy(update={"password_hash": password_hash("salt", b"new")})
        assert (await dial(e, Authorization=basic("CS1", b"secret")))[0] == 101

        e.bus.counters.reconnects += 1

        assert (await dial(e, Authorization=basic("CS1", b"secret")))[0] == 401


@pytest.mark.parametrize("password", [b"first", b"second"])
async def test_of_two_passwords_each_is_let_in_and_told_which_it_was(password: bytes) -> None:
    both = tuple(HashedPassword(salt=name, hash=password_hash(name, name.encode())) for name in ("first", "second"))
    access = LOCKED.model_copy(update={"passwords": both, "revision": 7})
    async with edge(modules=locked(CS1=access)) as e:
        assert (await dial(e, Authorization=basic("CS1", b"secret")))[0] == 401
        assert (await dial(e, Authorization=basic("CS1", password)))[0] == 101
        [told] = await e.hears(StationConnected)

        assert (told.password_name, told.access_revision) == (password_name(password.decode()), 7)


async def test_an_answer_from_before_a_change_is_not_remembered() -> None:
    modules = locked()
    modules.replies[GetStationAccess] = lambda _: LOCKED
    async with edge(modules=modules) as e:
        gate = modules.hold(GetStationAccess)
        early = asyncio.create_task(dial(e, Authorization=basic("CS1", b"secret")))
        await until(lambda: e.asked(GetStationAccess))
        await e.bus.publish(Envelope.of(StationAccessChanged(station_id="CS1")))
        gate.set()
        assert (await early)[0] == 101
        modules.replies[GetStationAccess] = lambda _: UNKNOWN

        assert (await dial(e, Authorization=basic("CS1", b"secret")))[0] == 404


async def test_an_unknown_station_costs_the_same_as_a_wrong_password() -> None:
    async with edge(modules=locked()) as e:
        for station_id in ("CS1", "CS2"):
            await dial(e, station_id)
        asked = len(e.asked(GetStationAccess))
        took = {station_id: await _fastest(e, station_id) for station_id in ("CS1", "CS2")}

        assert len(e.asked(GetStationAccess)) == asked
        assert 0.5 < took["CS1"] / took["CS2"] < 2


async def _fastest(e: Edge, station_id: str) -> float:
    """The least of many times: what the work takes, without what the machine did meanwhile."""
    took = []
    for _ in range(30):
        async with RawSocket.dialled(e.communication.port) as socket:
            begun = time.perf_counter()
            await socket.upgrade(station_id, Authorization=basic(station_id, b"x"))
            took.append(time.perf_counter() - begun)
    return min(took)
