"""A smoke run: each measurement for a moment, on the real services."""

import orjson
import pytest

from benchmarks.__main__ import MEASUREMENTS, measure
from benchmarks.ground import Size
from benchmarks.report import HEADLINES

MOMENT = Size(runs=1, seconds=0.3, stations=8, idle=20, calls=4, settle_s=0.1)

pytestmark = pytest.mark.timeout(300)


async def test_every_measurement_gives_its_figures() -> None:
    measured = orjson.loads(await measure(tuple(MEASUREMENTS), MOMENT))

    assert all(measured[name] > 0 for name in HEADLINES if name != "idle_kib_per_connection")
    assert len(measured["targets"]) == 9
    not_acknowledged = {
        name: each["median"] for name, each in measured["figures"].items() if "not_acknowledged" in name
    }
    assert set(not_acknowledged.values()) == {0}
