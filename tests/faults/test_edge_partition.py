"""F26, F27: a pod loses the broker and keeps its sockets, in both directions or in one. Another pod has the rest."""

import asyncio
import time

import pytest

from simulator.ledger import Class
from simulator.station import Station
from tests.faults.edges import Balancer, Pod, came, pod
from tests.faults.fleets import charging, transaction_messages
from tests.faults.ground import Ground
from tests.faults.proxy import Direction, Fault
from tests.figures import Figure

STATIONS = 40
OUTAGE_ALL = 4  # two shards, 2 each


@pytest.mark.long
@pytest.mark.timeout(420)
@pytest.mark.parametrize(
    ("row", "direction"),
    [("F26", None), ("F27", "down"), ("F27", "up")],
    ids=["both ways", "from the broker", "to the broker"],
)
async def test_a_pod_cut_off_from_the_broker_gives_its_stations_to_another(
    prepared: Ground, figure: Figure, row: str, direction: Direction | None
) -> None:
    management = await prepared.strum.management().start()
    serving = Pod(management, prepared.strum.session, prepared.strum.api_port)
    await prepared.strum.sign_in()
    async with (
        pod(prepared, "left", apart=True) as left,
        pod(prepared, "right") as right,
        Balancer([left, right]) as balancer,
        charging(balancer.url, stations=STATIONS) as stations,
    ):
        assert left.proxy is not None
        await stations.begun(STATIONS // 2)
        assert await left.connections() >= STATIONS // 4
        left.proxy.set(Fault(stopped=True), direction)
        began = time.monotonic()

        async def unready() -> bool:
            return not await left.ready()

        async def given_up() -> bool:
            return await left.metric("strum_ocpp_path_state") == OUTAGE_ALL

        async def empty() -> bool:
            return await left.connections() == 0

        async def all_right() -> bool:
            return await right.connections() == STATIONS

        name = f"{row} {direction or 'both ways'}"
        figure(row, f"{name}: not ready after", await came(unready, "not ready", within_s=30), "s", at_most=10)
        outage_s = await came(given_up, "outage mode", within_s=30, since=began)
        figure(row, f"{name}: outage mode after", outage_s, "s", at_most=20)
        await came(empty, "its stations let go", within_s=30, since=began)
        moved_s = await came(all_right, "all with the other pod", within_s=60, since=began)
        figure(row, f"{name}: all stations with the other pod after", moved_s, "s", at_most=60)
        await _every_station_can_be_told_something(prepared, stations.fleet.stations)
        await asyncio.sleep(5)
        left.proxy.heal()
        healed = time.monotonic()
        back_s = await came(left.ready, "ready again", within_s=40, since=healed)
        figure(row, f"{name}: ready again after the end of the trouble", back_s, "s", at_most=15)
        await asyncio.sleep(3)
        late = await asyncio.gather(*(each.metric("strum_bus_late_replies_total") for each in (left, serving)))
        figure(row, f"{name}: late replies that the pod and management dropped", sum(late))
        assert await left.connections() == 0, "nobody comes back who is well where they are"
        await _every_station_can_be_told_something(prepared, stations.fleet.stations)
        await stations.begun(STATIONS)
        findings = await stations.settled(prepared.strum, within_s=120)
    assert findings.clean, findings
    assert stations.ledger.counts["discarded"] == 0
    assert transaction_messages(stations.ledger, Class.REFUSED) == 0


async def _every_station_can_be_told_something(ground: Ground, stations: list[Station]) -> None:
    """The pod that holds it is the one that commands come to, and it is shown as connected."""
    for station in stations[:10]:
        path = f"/charging-stations/{station.station_id}"
        await ground.strum.eventually(path, lambda shown: shown["connected"], within_s=20)
        trigger = {"type": "trigger_message", "message": "Heartbeat"}
        status, body = await ground.strum.api("POST", f"{path}/commands", json=trigger)
        assert status in {200, 201, 202}, body
        assert body["state"] == "accepted", body
