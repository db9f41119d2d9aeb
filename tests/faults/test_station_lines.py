"""F28: bad lines on the stations' side: late, cut off now and then, in slices of a byte, narrow."""

from typing import Any

import pytest

from simulator.ledger import Class
from tests.faults.fleets import FAST, charging, transaction_messages
from tests.faults.ground import Ground
from tests.faults.honest import honest
from tests.faults.proxy import Fault, FaultProxy
from tests.figures import Figure

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]

STATIONS = 12
LINES = {
    "two seconds late": Fault(latency_s=1.0),
    "cut off for every hundredth piece": Fault(reset_share=0.01),
    "slices of a byte": Fault(slice_bytes=1),
    "a kilobyte a second": Fault(bytes_per_s=1000),
}
PATIENT: dict[str, Any] = {**FAST, "message_timeout_s": 20}


@pytest.mark.parametrize("line", LINES)
async def test_on_a_bad_line_nothing_is_lost_and_others_do_not_notice(
    faulty: Ground, line: str, seed: int, figure: Figure
) -> None:
    strum = faulty.strum
    async with FaultProxy(strum.ocpp_port, seed=seed) as proxy, honest(strum.ocpp_url, 50) as others:
        await others.measured(5)
        before_s = await others.measured(15)
        others.waited.clear()
        proxy.set(LINES[line])
        url = f"ws://127.0.0.1:{proxy.port}/ocpp"
        async with charging(
            url,
            stations=STATIONS,
            seed=seed,
            speed=2,
            first_within_s=20,
            charge_minutes=(0.5, 1.0),
            settings=PATIENT,
        ) as stations:
            await stations.begun(STATIONS, within_s=120)
            during_s = others.p99_s()
            findings = await stations.settled(strum, within_s=120)
    figure("F28", f"p99 of honest stations beside {line}", during_s, "s", at_most=max(2 * before_s, 0.1))
    assert findings.clean, findings
    assert findings.checked["stops"] >= STATIONS
    assert transaction_messages(stations.ledger, Class.REFUSED) == 0
    assert stations.ledger.counts["discarded"] == 0
    assert others.refused == 0
