"""Several workers on one port: one that dies is started anew, and all end in order with their supervisor."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.services.ports import free_port
from tests.strum.test_cli import ENVIRONMENT


@dataclass
class Supervisor:
    """`strum communication --workers 2`, which waits for a broker that is not there."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def workers(self) -> set[int]:
        found = subprocess.run(
            ["pgrep", "-P", str(self.process.pid), "-f", "spawn_main"], capture_output=True, check=False
        )
        return {int(pid) for pid in found.stdout.split()}

    def logged(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line for line in lines if line["event"] == event]


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    environment = ENVIRONMENT | {
        "STRUM_AMQP_URL": f"amqp://guest:guest@127.0.0.1:{free_port()}/",
        "STRUM_HEALTH_PORT": "0",
        "STRUM_OCPP_PORT": "0",
    }
    log = tmp_path / "log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "strum", "communication", "--workers", "2"]
        process = subprocess.Popen(command, env=environment, stderr=output, stdout=output, start_new_session=True)
    try:
        yield Supervisor(process, log)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def until(condition: Callable[[], object], *, within_s: float = 30.0) -> None:
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_worker_that_dies_is_told_of_as_everything_is_and_started_anew(supervisor: Supervisor) -> None:
    until(lambda: len(supervisor.logged("broker_awaited")) == 2)
    before = supervisor.workers()
    os.kill(min(before), signal.SIGKILL)
    until(lambda: len(supervisor.workers() - before) == 1)
    [died] = supervisor.logged("worker_died")
    assert (died["level"], died["service"], died["code"]) == ("error", "communication", -signal.SIGKILL)


def test_all_end_in_order_when_each_is_told_to_stop(supervisor: Supervisor) -> None:
    until(lambda: len(supervisor.logged("broker_awaited")) == 2)
    os.killpg(supervisor.process.pid, signal.SIGTERM)
    assert supervisor.process.wait(30) == 0
    assert len(supervisor.logged("communication_stopped")) == 2
    assert supervisor.logged("worker_died") == []
