"""T8: a password is replaced and the answer is lost; no pod locks the station out, none lets the other password in."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from communication_service.ocpp.versions import Version
from shared_contracts.charge_points import GetStationAccess, StationAccess, StationAccessChanged
from tests.communication_service.edge import Edge, edge
from tests.figures import Figure
from tests.harness import Running, running
from tests.modules.charge_points.edge import register
from tests.security.dialling import knock

ROTATIONS = "/charging-stations/CS1/credential-rotations"
OLD = "correct horse battery"
SOON_S = 5.0


def basic(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"CS1:{password}".encode()).decode()}


@dataclass
class System:
    """The module that keeps passwords, and two pods."""

    strum: Running
    pods: tuple[Edge, Edge]

    async def access(self) -> StationAccess:
        return await self.strum.ask(GetStationAccess(station_id="CS1"))

    async def refuses(self, password: str) -> float:
        """Seconds until the module has dropped all passwords but one, and each pod refuses this one."""
        begun = time.monotonic()
        async with asyncio.timeout(SOON_S):
            while len((await self.access()).passwords) > 1:
                await asyncio.sleep(0.02)
            for pod in self.pods:
                while (await knock(pod, "127.0.0.9", **basic(password)))[0] != 401:
                    await asyncio.sleep(0.2)
        return time.monotonic() - begun

    async def admits(self, password: str) -> bool:
        """Whether each pod lets this password in."""
        return [(await knock(pod, "127.0.0.8", **basic(password)))[0] for pod in self.pods] == [101, 101]


@asynccontextmanager
async def system(database: str) -> AsyncIterator[System]:
    async with running(database, "charge_points") as strum:
        await register(strum, password=OLD)
        settings = {"keepers": "charge_points"}
        async with (
            edge(bus=strum.bus, pod_id="a", **settings) as first,  # type: ignore[arg-type]
            edge(bus=strum.bus, pod_id="b", **settings) as second,  # type: ignore[arg-type]
        ):
            yield System(strum, (first, second))


async def rotate(s: System, status: str | None) -> str:
    """Send a station its new password, which it answers with this status, or is gone before; returns the password."""
    await s.admits(OLD)  # every pod remembers the old one
    async with s.pods[0].station(Version.V16, headers=basic(OLD)) as station:
        asking = asyncio.create_task(s.strum.api().post(ROTATIONS))
        _, message_id, action, payload = await station.receive()
        assert (action, payload["key"]) == ("ChangeConfiguration", "AuthorizationKey")
        if status is not None:
            await station.send([3, message_id, {"status": status}])
            await asking
    assert (await asking)[0] == 201
    await s.strum.hear(StationAccessChanged, 3)
    return str(payload["value"])


@pytest.mark.parametrize("pod", [0, 1], ids=["the same pod", "another pod"])
@pytest.mark.parametrize("took_it", [True, False], ids=["the new password", "the old password"])
async def test_after_a_lost_answer_the_password_shown_first_is_the_one(
    database: str, took_it: bool, pod: int, figure: Figure
) -> None:
    async with system(database) as s:
        new = await rotate(s, None)
        assert len((await s.access()).passwords) == 2
        kept, dropped = (new, OLD) if took_it else (OLD, new)

        assert (await knock(s.pods[pod], "127.0.0.7", **basic(kept)))[0] == 101
        figure("T8", "the other password refused on both pods after", await s.refuses(dropped), "s", at_most=SOON_S)
        assert await s.admits(kept)


async def test_an_accepted_password_is_the_only_one_on_every_pod(database: str, figure: Figure) -> None:
    async with system(database) as s:
        new = await rotate(s, "Accepted")
        figure("T8", "the old password refused on both pods after", await s.refuses(OLD), "s", at_most=SOON_S)
        assert await s.admits(new)


async def test_a_rejected_password_lets_nobody_in(database: str) -> None:
    async with system(database) as s:
        new = await rotate(s, "Rejected")
        assert await s.refuses(new) <= SOON_S
        assert await s.admits(OLD)
