"""What a terminal shows of a fleet."""

import asyncio
import io

from simulator.fleet import Fleet
from simulator.progress import figures, watch
from tests.simulator.csms import Csms


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def test_a_terminal_sees_the_figures_and_a_pipe_sees_nothing(csms: Csms) -> None:
    shown = []
    for terminal in (Terminal(), io.StringIO()):
        async with Fleet(url=csms.url, stations=2, rate=0) as fleet:
            await asyncio.gather(*(station.wait_ready() for station in fleet.stations))
            assert figures(fleet).startswith("2/2 connected  0 charging")
            await watch(fleet, asyncio.create_task(fleet.run(0.1)), 0.1, terminal=terminal)
        shown.append(terminal.getvalue())

    assert "2/2 connected" in shown[0]
    assert shown[1] == ""
