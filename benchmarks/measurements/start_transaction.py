"""(c) StartTransaction, which waits for the transactions module and, behind it, the verdict on the id token."""

from benchmarks import systems
from benchmarks.ground import Ground
from benchmarks.measurements.end_to_end import ID_TAG
from benchmarks.spread import Figures

_STATIONS = 20
_PAUSE_S = 0.05


async def measure(ground: Ground) -> Figures:
    """About ten a second, one at a time, each followed by its StopTransaction."""
    figures = Figures()
    async with systems.whole(ground) as system:
        await system.add_id_token(ID_TAG)
        async with systems.stations(system.ocpp_port, "START", _STATIONS, password="") as load:
            starts = {"id_tag": ID_TAG, "pause_s": _PAUSE_S}
            await load.ask("start_transactions", count=_STATIONS, **starts)
            for _ in range(ground.size.runs):
                result = await load.ask("start_transactions", count=ground.size.calls, **starts)
                figures.add(start_transaction_p50_ms=result["p50_ms"], start_transaction_p99_ms=result["p99_ms"])
    return figures
