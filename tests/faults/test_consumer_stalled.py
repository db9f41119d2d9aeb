"""F10: a consumer stands still and stays connected. The age of its oldest message shows it, and it heals itself."""

import asyncio
import re
import time
from collections import defaultdict
from dataclasses import dataclass, field

import pytest

from simulator.ledger import Class
from tests.e2e.stack import Service, Stack
from tests.faults import stalls
from tests.faults.crashes import sabotaged
from tests.faults.databases import set_aside
from tests.faults.fleets import charging, transaction_messages
from tests.faults.ground import Ground
from tests.faults.verdicts import examine_further
from tests.figures import Figure

STATIONS = 20
_SERIES = re.compile(r'^strum_consumer_(\w+)\{module="transactions"(?:,shard="(\d+)")?\} (\S+)$', re.MULTILINE)


@dataclass
class Watch:
    """What the metrics told of the consumers of transactions since the stall, by shard."""

    strum: Stack
    oldest_s: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    in_work_s: dict[str, float] = field(default_factory=dict)
    stalls: float = 0.0

    async def look(self) -> None:
        """Read them once."""
        async with self.strum.session.get(f"http://127.0.0.1:{self.strum.api_port}/metrics") as response:
            series = _SERIES.findall(await response.text())
        for name, shard, value in series:
            match name:
                case "oldest_message_seconds":
                    self.oldest_s[shard] = max(self.oldest_s[shard], float(value))
                case "in_work_seconds":
                    self.in_work_s[shard] = float(value)
                case "stalled_total":
                    self.stalls = float(value)

    async def healed(self, *, within_s: float) -> str:
        """Look until the consumer that stood still works on something new; which shard it has."""
        async with asyncio.timeout(within_s):
            while True:
                await self.look()
                stalled = max(self.oldest_s, key=lambda shard: self.oldest_s[shard], default="")
                if self.stalls and self.in_work_s[stalled] < 1:
                    return stalled
                await asyncio.sleep(0.1)

    async def stalled(self, management: Service, point: str, *, within_s: float) -> float:
        """Look until the stall, of which `oldest_s` tells from then on; how old messages were before, in seconds."""
        async with asyncio.timeout(within_s):
            while f"sabotage: stalled at {point}" not in management.log.read_text():
                await self.look()
                await asyncio.sleep(0.05)
        before_s = max(self.oldest_s.values(), default=0.0)
        self.oldest_s.clear()
        return before_s


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("stalled_after_s", "point"),
    [("2", "before_commit"), *(pytest.param("20", point, marks=pytest.mark.long) for point in stalls.POINTS)],
)
async def test_a_consumer_that_stands_still_is_noticed_and_goes_on_by_itself(
    prepared: Ground, figure: Figure, stalled_after_s: str, point: str
) -> None:
    strum = prepared.strum
    strum.environment["STRUM_CONSUMER_STALLED_AFTER_S"] = stalled_after_s
    management = strum.management()
    with sabotaged(management, stall_at=f"{point}:10"):
        await management.start()
    await strum.communication().start()
    await strum.sign_in()
    async with charging(strum.ocpp_url, stations=STATIONS, meter_interval=10) as stations:
        watch = Watch(strum)
        before_s = await watch.stalled(management, point, within_s=60)
        began, answered = time.monotonic(), transaction_messages(stations.ledger, Class.ANSWERED)
        shard = await watch.healed(within_s=60)
        figure(
            "F10", f"set to {stalled_after_s} s, new messages taken after", time.monotonic() - began, "s", at_most=60
        )
        assert transaction_messages(stations.ledger, Class.ANSWERED) > answered, "what others answer stood still too"
        await stations.begun(STATIONS)
        findings = await examine_further(strum, await stations.settled(strum, within_s=120))
    figure("F10", "age of the oldest message of the shard in the metrics", watch.oldest_s.pop(shard), "s", at_most=60)
    assert watch.oldest_s
    bound_s = max(2 * before_s, float(stalled_after_s) / 4)  # a shard that waits for the other is as old as the stall
    figure("F10", "of the other shard", max(watch.oldest_s.values()), "s", at_most=bound_s)
    await watch.look()
    assert watch.stalls == 1
    assert findings.clean, findings
    assert await set_aside(prepared) == []
    assert transaction_messages(stations.ledger, Class.REFUSED) == 0
    assert stations.ledger.counts["discarded"] == 0
