"""A RabbitMQ server of one's own, which a test may stop, kill, freeze and start again."""

import asyncio
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from strum.child import ChildProcess
from tests.services.ports import free_port

START_TIMEOUT_S = 90.0  # a broker takes 4 s on a free machine, and several start at once under xdist
_LOOPBACK = "127.0.0.1"
_PROGRAM_DIRECTORIES = ("/usr/lib/rabbitmq/bin", "/opt/homebrew/sbin", "/usr/local/sbin", "/usr/sbin")
_MORE_FILES = """
most=$(ulimit -H -n)
[ "$most" != unlimited ] && [ "$most" -lt 65536 ] || most=65536
ulimit -n "$most"
exec "$@"
"""  # a quorum queue takes four; without a bound Erlang would reserve memory for as many as a container may open
_QUIET_SCHEDULERS = "+sbwt none +sbwtdcpu none +sbwtdio none"  # spinning would take the CPU from the tests


class RabbitDidNotStart(Exception):
    """The broker ended instead of getting ready; the message holds the end of its log."""


class PrivateRabbit:
    """A broker on `directory`, loopback ports and a node name that nothing else uses.

    Its URL and its data stay the same over `kill` and `start`. What it tells of quorum queues is at most
    `counts_every_s` old; 5 is what RabbitMQ comes with.
    """

    def __init__(self, directory: Path, *, counts_every_s: float = 5.0) -> None:
        self.directory = directory
        self._counts_every_s = counts_every_s
        self.port, self._distribution_port, self._epmd_port = (free_port() for _ in range(3))
        self.url = f"amqp://guest:guest@{_LOOPBACK}:{self.port}/"
        self._node = f"strum-{secrets.token_hex(4)}@localhost"
        self._broker: ChildProcess | None = None
        self._epmd: ChildProcess | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()  # nobody asks any more what it kept

    @property
    def pid(self) -> int:
        """The process id of the broker's Erlang machine."""
        return int(next(self.directory.glob("mnesia/*.pid")).read_text())

    async def start(self) -> None:
        """Start the broker and wait until it speaks AMQP. Raises RabbitDidNotStart."""
        await asyncio.to_thread(self.start_blocking)

    async def stop(self) -> None:
        """Stop the broker in order."""
        await asyncio.to_thread(self.stop_blocking)

    async def kill(self) -> None:
        """End the broker as `kill -9` does.

        RabbitMQ 3.10 loses a quorum queue that was declared in the last five seconds: after the next start the
        queue is there and never gets a leader.
        """
        await asyncio.to_thread(self.kill_blocking)

    async def restart(self) -> None:
        """Stop the broker in order and start it again."""
        await self.stop()
        await self.start()

    def freeze(self) -> None:
        """Let the broker fall silent with its connections open, until `thaw`."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen broker go on."""
        os.kill(self.pid, signal.SIGCONT)

    async def control(self, *arguments: str) -> str:
        """What `rabbitmqctl` answers; for alarms, lists of queues and the like."""
        return await asyncio.to_thread(self._control, *arguments)

    def start_blocking(self) -> None:
        """`start`, for code without an event loop."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if program := shutil.which("epmd"):  # a broker would start one that stays behind
            self._epmd = ChildProcess([program], log=self.directory / "epmd.log", env=self._environment())
            _wait_for(self._epmd, self._epmd_port, b"", self.directory / "epmd.log")
        log = self.directory / "broker.log"
        command = ["/bin/sh", "-c", _MORE_FILES, "sh", find_program("rabbitmq-server")]
        self._broker = ChildProcess(command, log=log, env=self._environment())
        try:
            _wait_for(self._broker, self.port, b"AMQP\0\0\x09\x01", log)
        except RabbitDidNotStart:
            self.kill_blocking()
            raise

    def stop_blocking(self) -> None:
        """`stop`, for code without an event loop."""
        with ExitStack() as stack:
            for child in (self._epmd, self._broker):
                if child is not None:
                    stack.callback(child.stop)
        self._broker = self._epmd = None

    def kill_blocking(self) -> None:
        """`kill`, for code without an event loop."""
        for child in (self._broker, self._epmd):
            if child is not None:
                child.kill()
        self._broker = self._epmd = None

    def _control(self, *arguments: str) -> str:
        command = [find_program("rabbitmqctl"), "--quiet", "--node", self._node, *arguments]
        return subprocess.run(command, env=self._environment(), capture_output=True, text=True, check=True).stdout

    def _environment(self) -> dict[str, str]:
        none = str(self.directory / "none")
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(self.directory),  # its Erlang cookie is its own
            "ERL_CRASH_DUMP": str(self.directory / "crash.dump"),
            "ERL_EPMD_ADDRESS": _LOOPBACK,
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_NODE_IP_ADDRESS": _LOOPBACK,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_MNESIA_BASE": str(self.directory / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.directory / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONF_ENV_FILE": none,
            "RABBITMQ_CONFIG_FILE": none,
            "RABBITMQ_ADVANCED_CONFIG_FILE": none,
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.directory / "plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                f"-kernel inet_dist_use_interface {{127,0,0,1}} {_QUIET_SCHEDULERS}"
                f" -rabbit quorum_tick_interval {self._counts_every_s * 1000:.0f}"
            ),
        }


def find_program(name: str) -> str:
    """The path of one of RabbitMQ's programs; FileNotFoundError if it is not installed.

    Debian's own directory comes first: what it puts on the PATH runs as the user rabbitmq and as nobody else.
    """
    for directory in _PROGRAM_DIRECTORIES:
        if found := shutil.which(name, path=directory):
            return found
    if found := shutil.which(name):
        return found
    raise FileNotFoundError(name)


def _wait_for(child: ChildProcess, port: int, greeting: bytes, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not _answers(port, greeting):
        if not child.running or time.monotonic() > deadline:
            end = log.read_text(errors="replace")[-2000:]
            raise RabbitDidNotStart(f"nothing answers on port {port}:\n{end}")
        time.sleep(0.05)


def _answers(port: int, greeting: bytes) -> bool:
    try:
        with socket.create_connection((_LOOPBACK, port), timeout=2) as connection:
            connection.sendall(greeting)
            return not greeting or connection.recv(1) != b""
    except OSError:
        return False
