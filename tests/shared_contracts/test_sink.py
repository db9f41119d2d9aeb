"""A sink of logs that is blocked or full stops nobody; what is lost is counted (F37)."""

import asyncio
import os
import subprocess
import sys
import time

import pytest

from shared_contracts.sink import DROPPED, Sink

TALKER = """
import sys, time
from shared_contracts import logs
import structlog
logs.configure("info", "json", service="test")
log = structlog.get_logger()
for number in range({lines}):
    log.info("said", number=number, padding="x" * 1000)
from shared_contracts.sink import DROPPED
time.sleep({rest})
print(DROPPED._value.get(), flush=True)
"""


def _dropped() -> float:
    return float(DROPPED._value.get())


def test_lines_are_written_in_order_and_the_last_ones_before_the_end() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TALKER.format(lines=500, rest=0)], capture_output=True, text=True, check=True, timeout=30
    )
    lines = done.stderr.splitlines()

    assert [f'"number": {number},' in line for number, line in enumerate(lines)] == [True] * 500


async def test_a_pipe_that_nobody_reads_stops_nobody_and_what_is_lost_is_counted() -> None:
    talker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", TALKER.format(lines=20_000, rest=0), stdout=subprocess.PIPE, stderr=_unread_pipe()
    )
    async with asyncio.timeout(20):
        said, _ = await talker.communicate()

    assert talker.returncode == 0
    assert float(said) > 1000


def _unread_pipe() -> int:
    _, write = os.pipe()
    return write


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_a_full_disk_stops_nobody_and_what_is_lost_is_counted() -> None:
    before = _dropped()
    descriptor = os.open("/dev/full", os.O_WRONLY)
    try:
        sink = Sink(descriptor)
        for _ in range(100):
            sink.write("line\n")
        sink.drain(5.0)
    finally:
        os.close(descriptor)

    assert _dropped() == before + 100


def test_a_sink_that_blocks_holds_a_bounded_number_of_lines() -> None:
    read, write = os.pipe()
    before, sink = _dropped(), Sink(write)
    begun = time.monotonic()
    for _ in range(30_000):
        sink.write("x" * 99 + "\n")
    lasted_s = time.monotonic() - begun
    os.close(read)  # the writing thread gets on again: nobody reads at all

    assert lasted_s < 2
    assert 10_000 <= _dropped() - before <= 30_000
