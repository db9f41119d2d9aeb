"""F37: where the logs go is full or blocked; the services go on, and say how many lines were lost."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest

from communication_service.ocpp.versions import Version
from tests.communication_service.phrases import begin, boot, end
from tests.communication_service.stations import Station
from tests.faults.ground import Ground
from tests.faults.whole import say
from tests.figures import Figure

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(240),
    pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's"),
]


@contextmanager
def _pipe_without_reader(directory: Path) -> Iterator[Path]:
    path = directory / "nobody-reads"
    os.mkfifo(path)
    held = os.open(path, os.O_RDWR)  # or opening it to write would wait
    try:
        yield path
    finally:
        os.close(held)


async def _lost(url: str) -> float:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        for line in (await response.text()).splitlines():
            if line.startswith("strum_log_lines_dropped_total "):
                return float(line.split()[1])
    raise AssertionError(f"{url} does not tell of lost lines")


@pytest.mark.parametrize("sink", ["full", "blocked"])
async def test_services_go_on_though_their_logs_go_nowhere(prepared: Ground, sink: str, figure: Figure) -> None:
    strum = prepared.strum
    strum.environment["STRUM_LOG_LEVEL"] = "debug"
    with _pipe_without_reader(strum.directory) as pipe:
        services = [strum.management(), strum.communication()]
        for service in services:
            service.log = Path("/dev/full") if sink == "full" else pipe
            await service.start()
        await strum.sign_in()
        for number in range(150):
            url = f"{strum.ocpp_url}/CS-{number}"
            async with strum.session.ws_connect(url, protocols=("ocpp1.6",)) as socket:
                station = Station(socket)
                await say(station, boot(Version.V16))
                for _ in range(10):
                    await station.call("NoSuchAction" + "x" * 30)
        async with strum.session.ws_connect(f"{strum.ocpp_url}/LAST", protocols=("ocpp1.6",)) as socket:
            station = Station(socket)
            await say(station, boot(Version.V16))
            number = (await say(station, begin(Version.V16)))["transactionId"]
            await say(station, end(Version.V16, number=number))
        await strum.eventually("/transactions", lambda page: len(page["items"]) == 1, state="finished")
        if sink == "full":
            lost = [await _lost(service.ready_url.replace("readyz", "metrics")) for service in services]
            assert min(lost) > 0
            figure("F37", "log lines lost and counted by both services", sum(lost))
        for service in services:
            assert await service.stop() == 0
