"""Azure Table Storage for tests: Azurite, which npm installs once into the user's cache directory and node runs."""

import asyncio
import base64
import fcntl
import os
import secrets
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from strum.child import ChildProcess
from tests.services.ports import free_port

VERSION = "3.35.0"
_NODE = 18
_INSTALL_TIMEOUT_S = 300
_START_TIMEOUT_S = 60.0
_LOOPBACK = "127.0.0.1"


class NodeMissing(Exception):
    """There is no node of version 18 or newer, so Azurite cannot run here."""


class AzuriteNotInstalled(Exception):
    """There is node, but npm could not install Azurite; the message holds what npm said."""


class PrivateAzurite:
    """A table service on `directory` and a loopback port of its own; the account and its key are made up.

    Its data stay the same over `stop` and `start`.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = free_port()
        self._account = "strumtest"
        self._key = base64.b64encode(secrets.token_bytes(32)).decode()
        self._child: ChildProcess | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def connection_string(self) -> str:
        """As the Azure SDK takes it."""
        endpoint = f"http://{_LOOPBACK}:{self._port}/{self._account}"
        return f"AccountName={self._account};AccountKey={self._key};TableEndpoint={endpoint};"

    async def start(self) -> None:
        """Start the service and wait until it answers. Raises NodeMissing, AzuriteNotInstalled."""
        await asyncio.to_thread(self.start_blocking)

    async def stop(self) -> None:
        """End the service."""
        await asyncio.to_thread(self.stop_blocking)

    def stop_blocking(self) -> None:
        """`stop`, for code without an event loop."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def start_blocking(self) -> None:
        """`start`, for code without an event loop."""
        program = install_azurite()
        self._directory.mkdir(parents=True, exist_ok=True)
        log = self._directory / "azurite.log"
        command = [
            *(node(), str(program), "--silent", "--disableTelemetry", "--skipApiVersionCheck"),
            *("--tableHost", _LOOPBACK, "--tablePort", str(self._port), "--location", str(self._directory)),
        ]
        accounts = {"AZURITE_ACCOUNTS": f"{self._account}:{self._key}"}
        self._child = ChildProcess(command, log=log, env=dict(os.environ) | accounts)
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not _listens(self._port):
            if not self._child.running or time.monotonic() > deadline:
                raise RuntimeError(f"Azurite did not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)


def node() -> str:
    """The path of node. Raises NodeMissing."""
    program = shutil.which("node")
    if program is None:
        raise NodeMissing("node is not installed: the Azure Table adapter is not tested here")
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    if int(said.strip().lstrip("v").split(".")[0]) < _NODE:
        raise NodeMissing(f"node is {said.strip()}, Azurite takes {_NODE}: the Azure Table adapter is not tested here")
    return program


def install_azurite() -> Path:
    """The path of Azurite's table service, installed if it is not there yet. Raises AzuriteNotInstalled."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "strum" / f"azurite-{VERSION}"
    program = cache / "node_modules" / "azurite" / "dist" / "src" / "table" / "main.js"
    done = cache / "installed"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the workers of a run ask at the same time
        if not (done.exists() and program.exists()):
            _npm_install(cache)
            done.touch()
    return program


def _npm_install(cache: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise AzuriteNotInstalled("npm is not installed, though node is: it installs Azurite for the tests")
    options = ["--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--omit=dev", "--loglevel=error"]
    command = [npm, "install", "--prefix", str(cache), *options, f"azurite@{VERSION}"]
    try:
        subprocess.run(command, capture_output=True, text=True, check=True, timeout=_INSTALL_TIMEOUT_S, cwd=cache)
    except subprocess.CalledProcessError as error:
        raise AzuriteNotInstalled(f"npm could not install Azurite: {error.stderr.strip()[-500:]}") from error
    except subprocess.TimeoutExpired as error:
        raise AzuriteNotInstalled(f"npm did not install Azurite within {_INSTALL_TIMEOUT_S} s") from error


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((_LOOPBACK, port)) == 0
