"""F38: pods with a limit on memory, and stations that try to fill it. Limits per connection keep the pods alive.

The kernel's end of a process is stood for by `kill -9`, as in F1: the stations come back on the other pod, and those
who hoard too, which does not end that one either.
"""

import asyncio
import resource
import signal
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from simulator.ledger import Class
from tests.faults.edges import Balancer, Pod, pod
from tests.faults.fleets import Charging, charging, transaction_messages, until
from tests.faults.ground import Ground
from tests.faults.hoarders import KINDS, Hoarders, hoarding
from tests.faults.verdicts import examine_further
from tests.figures import Figure

STATIONS = 40
OF_EACH = 10
HOARD_S = 15
MORE_MIB = 4 * OF_EACH * len(KINDS)
"""What a pod may take beyond what it takes when it is idle: 4 MiB for each hoarder."""


def limit(edge: Pod) -> None:
    """Let the process have only so much more address space: what needs more fails with MemoryError."""
    status = Path(f"/proc/{edge.pid}/status").read_text()
    most = (int(status.split("VmSize:")[1].split()[0]) << 10) + (MORE_MIB << 20)
    resource.prlimit(edge.pid, resource.RLIMIT_AS, (most, most))


async def largest_mib(edge: Pod, seconds: float) -> float:
    """The most memory that it occupies within so many seconds, in all of which it lives."""
    until_s, most = time.monotonic() + seconds, 0.0
    while time.monotonic() < until_s:
        assert edge.service.process is not None
        told = edge.service.log.read_text(errors="replace")
        assert edge.service.process.returncode is None, told[-2000:]
        assert "MemoryError" not in told, told[-2000:]
        most = max(most, edge.rss_mib)
        await asyncio.sleep(0.2)
    return most


async def outlast(edge: Pod, hoarders: Hoarders, stations: Charging, idle_mib: float, figure: Figure) -> None:
    """A pod has hoarders, stays within its limit, and answers the others."""
    await until(lambda: hoarders.connected[edge.port] > OF_EACH * (len(KINDS) - 2), "hoarders there", within_s=60)
    answered = stations.ledger.counts["answered"]
    grown = await largest_mib(edge, HOARD_S) - idle_mib
    what = f"MiB that {OF_EACH * len(KINDS)} hoarders made a pod grow by"
    figure("F38", what, grown, "MiB", at_most=MORE_MIB)
    assert stations.ledger.counts["answered"] > answered


@pytest.mark.alone
@pytest.mark.timeout(1200)
async def test_pods_outlast_hoarders_and_the_stations_of_one_that_is_ended_come_back(
    prepared: Ground, figure: Figure, seed: int
) -> None:
    strum = prepared.strum
    await strum.management().start()
    await strum.sign_in()
    async with AsyncExitStack() as closing:
        pods = [await closing.enter_async_context(pod(prepared, name)) for name in ("first", "second")]
        for each in pods:
            limit(each)
        first, second = pods
        idle_mib = second.rss_mib
        balancer = await closing.enter_async_context(Balancer(pods))
        stations = await closing.enter_async_context(charging(balancer.url, stations=STATIONS, seed=seed))
        await until(lambda: all(each.ready for each in stations.fleet.stations), "all accepted", within_s=60)
        hoarders = await closing.enter_async_context(hoarding(first.port, second.port, of_each=OF_EACH))
        await outlast(first, hoarders, stations, idle_mib, figure)
        first.signal(signal.SIGKILL)
        began = time.monotonic()
        await until(lambda: not all(each.ready for each in stations.fleet.stations), "some gone", within_s=10)
        await until(lambda: all(each.ready for each in stations.fleet.stations), "all back", within_s=90)
        figure("F38", "the last station back after its pod was ended", time.monotonic() - began, "s", at_most=60)
        await outlast(second, hoarders, stations, idle_mib, figure)
        figure("F38", "sent by hoarders", hoarders.sent_bytes.total() / 2**20, "MiB")
        assert hoarders.sent_bytes.keys() == KINDS.keys()
        findings = await examine_further(strum, await stations.settled(strum, within_s=120))
    assert findings.clean, findings
    assert transaction_messages(stations.ledger, Class.REFUSED) == 0
    assert stations.ledger.counts["discarded"] == 0
