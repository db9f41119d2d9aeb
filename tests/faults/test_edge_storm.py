"""F22, F35: all stations come at once, or more than the process has files for. Those that are there do not notice."""

import asyncio
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.faults.edges import Bare, Pod, came, percentile, pod
from tests.faults.ground import Ground
from tests.faults.sizes import size
from tests.figures import Figure

STORM = size(2_000, 5_000)
ESTABLISHED = 50
FILES = 256


@asynccontextmanager
async def _storm(port: int, count: int, *, seconds: float) -> AsyncIterator["asyncio.Task[dict[str, Any]]"]:
    """Stations of a process of their own; the task returns what they tell, and the end of the block ends them."""
    arguments = ("-m", "tests.faults.storm", str(port), str(count), str(seconds))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None

    async def told() -> dict[str, Any]:
        assert process.stdout is not None
        return dict(orjson.loads(await process.stdout.readline()))

    telling = asyncio.create_task(told())
    try:
        yield telling
    finally:
        process.stdin.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 10)
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.alone
@pytest.mark.timeout(1500)
async def test_a_storm_of_reconnects_is_let_in_at_a_pace_that_those_who_are_there_do_not_notice(
    prepared: Ground, figure: Figure
) -> None:
    await prepared.strum.management().start()
    async with pod(prepared, "edge") as edge:
        bare = Bare(edge.url)
        await bare.connect(*(f"BARE-{number}" for number in range(ESTABLISHED)))
        bare.talk(1)
        await asyncio.sleep(5)
        bare.latencies_s.clear()
        async with _storm(edge.port, STORM, seconds=STORM * 0.06) as telling:
            told = await telling
            stormy, refused = list(bare.latencies_s), told["tries"].get("503", 0)
            assert await edge.connections() == STORM + ESTABLISHED
            figure("F22", "stations that came at once", told["open"])
            figure("F22", "refused with 503 meanwhile", refused)
            figure("F22", "slowest handshake", told["slowest_s"], "s", at_most=30)
            figure("F22", "all in after", told["all_in_s"], "s", at_most=STORM * 0.045)
            figure("F22", "answered in the busiest second", told["most_answered_in_a_second"])
            figure("F22", "p99 of those who were there", percentile(stormy, 0.99), "s", at_most=2)
            figure("F22", "memory of the edge", edge.rss_mib, "MiB", at_most=500)
        assert told["open"] == STORM
        assert told["tries"].keys() <= {"101", "503"}, "refused in HTTP, not reset"
        assert not bare.codes, "nobody who was there lost the connection"
        assert not edge.logged("outage_began")
        await bare.end()


@pytest.mark.alone
@pytest.mark.timeout(1200)
async def test_without_files_for_more_the_present_live_and_others_come_in_when_there_is_room(
    prepared: Ground, figure: Figure
) -> None:
    await prepared.strum.management().start()
    async with pod(prepared, "edge") as edge, AsyncExitStack() as raw:
        resource.prlimit(edge.pid, resource.RLIMIT_NOFILE, (FILES, FILES))
        bare = Bare(edge.url)
        await bare.connect(*(f"BARE-{number}" for number in range(ESTABLISHED)))
        bare.talk(1)
        async with _storm(edge.port, 2 * FILES, seconds=20) as telling:
            told = await telling
            figure("F35", "stations let in with 256 files", told["open"])
            assert 50 < told["open"] < FILES - ESTABLISHED
            await _lives(edge, bare)
            flood = [await _dialled(edge, raw) for _ in range(2 * FILES)]
            assert sum(flood) > FILES
            figure("F35", "files of the edge in use at the height", _files(edge), at_most=FILES)
            await _lives(edge, bare)
            await raw.aclose()

        async def room() -> bool:
            return await edge.connections() == ESTABLISHED

        await came(room, "the storm is gone", within_s=30)
        async with _storm(edge.port, 100, seconds=60) as telling:
            told = await telling
            figure("F35", "hundred more in, once there was room, after", told["all_in_s"], "s", at_most=30)
            assert told["open"] == 100
        assert not bare.codes
        await bare.end()


def _files(edge: Pod) -> int:
    return len(list(Path(f"/proc/{edge.pid}/fd").iterdir()))


async def _dialled(edge: Pod, stack: AsyncExitStack) -> bool:
    """Open a connection and say nothing; whether it could be opened."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", edge.port), 2)
    except (OSError, TimeoutError):
        return False
    stack.callback(writer.close)
    return True


async def _lives(edge: Pod, bare: Bare) -> None:
    """Those who are there are answered, and their messages become durable."""
    answered = bare.answered.total()
    await asyncio.sleep(5)
    assert bare.answered.total() > answered + ESTABLISHED
    assert not bare.codes
    assert await edge.ready()
