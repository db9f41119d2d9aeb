"""T2: passwords and identities of stations cannot be guessed, and guessing locks no honest station out."""

import asyncio

from shared_contracts.charge_points import GetStationAccess
from shared_contracts.security import IncidentKind, IncidentNoticed
from shared_contracts.stations import StationDisconnected
from tests.communication_service.edge import Edge, edge, until
from tests.communication_service.test_admission import LOCKED, basic, locked
from tests.figures import Figure
from tests.security.dialling import connected, knock

STATION, ATTACKER = "127.0.0.2", "127.0.0.3"
RIGHT = {"Authorization": basic("CS1", b"secret")}
ALLOWED = 10
"""Guesses per minute of one address for one station."""


async def guess(e: Edge, attempts: int, source: str = ATTACKER, station_id: str = "CS1") -> list[int]:
    """Wrong passwords, fifty at a time: what became of each."""
    statuses: list[int] = []
    for start in range(0, attempts, 50):
        wrong = [basic(station_id, str(number).encode()) for number in range(start, min(start + 50, attempts))]
        knocks = (knock(e, source, station_id, Authorization=one) for one in wrong)
        statuses += [status for status, _ in await asyncio.gather(*knocks)]
    return statuses


async def test_of_a_thousand_guesses_no_more_are_compared_than_allowed(figure: Figure) -> None:
    async with edge(modules=locked(), handshakes_per_s=10**6) as e, connected(e, STATION) as station:
        assert (await station.upgrade("CS1", **RIGHT))[0] == 101
        begun = asyncio.get_running_loop().time()
        statuses = await guess(e, 1000)
        minutes = (asyncio.get_running_loop().time() - begun) / 60
        compared = statuses.count(401)

        assert compared >= 1
        figure("T2", "of 1,000 guesses compared", compared, at_most=ALLOWED * (1 + minutes) + 1)
        assert statuses.count(429) == 1000 - compared
        assert [event.kind for event in e.heard(IncidentNoticed)].count(IncidentKind.GUESSING) == 1
        station.send('[2,"1","Heartbeat",{}]')
        assert b"currentTime" in (await station.receive())[1]
        assert e.heard(StationDisconnected) == []


async def test_whoever_guesses_too_often_is_refused_even_the_right_password_and_told_when_to_come_again() -> None:
    async with edge(modules=locked()) as e:
        await guess(e, ALLOWED)
        status, headers = await knock(e, ATTACKER, **RIGHT)

        assert status == 429
        assert 1 <= int(headers["retry-after"]) <= 60


async def test_an_honest_station_gets_in_while_somebody_guesses() -> None:
    async with edge(modules=locked()) as e:
        await guess(e, 100)
        assert (await knock(e, STATION, **RIGHT))[0] == 101


async def test_an_honest_station_behind_the_address_that_guesses_for_others_gets_in_again() -> None:
    """A carrier's or a site's one address: the station was there before the attack began."""
    others = {f"CS{number}": LOCKED for number in range(10, 30)}
    async with edge(modules=locked(**others), failures_per_source=20) as e:
        assert (await knock(e, ATTACKER, **RIGHT))[0] == 101
        for station_id in others:
            await guess(e, 5, station_id=station_id)
        assert (await knock(e, ATTACKER, "CS30", Authorization=basic("CS30", b"x")))[0] == 429
        assert (await knock(e, ATTACKER, **RIGHT))[0] == 101


async def test_identities_are_not_listed_by_trying() -> None:
    async with edge(modules=locked(), failures_per_source=20) as e:
        statuses = [(await knock(e, ATTACKER, f"X{number}"))[0] for number in range(60)]

        assert 19 <= statuses.count(404) <= 22
        assert len(e.asked(GetStationAccess)) == statuses.count(404)
        assert (await knock(e, ATTACKER, **RIGHT))[0] == 429
        assert (await knock(e, STATION, **RIGHT))[0] == 101


async def test_whoever_is_refused_anyway_takes_no_turn_of_an_honest_station() -> None:
    async with edge(modules=locked(), handshakes_per_s=20) as e:
        assert (await guess(e, ALLOWED)).count(401) == ALLOWED
        await asyncio.sleep(1)
        nonsense = [(await knock(e, ATTACKER, "x" * 49))[0] for _ in range(100)]
        assert [set(nonsense), set(await guess(e, 100))] == [{404}, {429}]
        assert (await knock(e, STATION, **RIGHT))[0] == 101


async def test_many_addresses_cannot_share_the_guessing() -> None:
    async with edge(modules=locked(), failures_per_station=3, handshakes_per_s=10**6) as e:
        compared = 0
        for number in range(40):
            compared += (await guess(e, 3, source=f"127.0.1.{number}")).count(401)

        assert compared <= 3 * 10 + 3


async def test_guesses_that_wait_for_an_answer_together_are_not_all_compared() -> None:
    modules = locked()
    async with edge(modules=modules, access_ttl_s=0.0) as e:
        gate = modules.hold(GetStationAccess)
        guessing = asyncio.create_task(guess(e, 50))
        await until(lambda: len(e.asked(GetStationAccess)) == 50)
        gate.set()

        assert (await guessing).count(401) <= ALLOWED + 1
