"""A PostgreSQL of our own: for `strum up` on a machine that has no database server, and for tests.

It is a real server, started on a directory and stopped with us. It listens on a unix socket only, in a
directory that nobody else may enter, so it needs no password and no port.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO
from urllib.parse import quote

from strum.child import ChildProcess
from strum.postgres_programs import Account, PostgresPrograms, account, find_programs
from strum.postmaster import Postmaster

_LONGEST_SOCKET_PATH = 100  # sockaddr_un holds 104 bytes on macOS, 108 on Linux
_NEW = "new-"
_PATIENCE_S = 60.0  # a killed server replays its log before it takes connections
_NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class DirectoryInUse(Exception):
    """Another living process runs a server on this directory."""

    def __init__(self, directory: Path) -> None:
        super().__init__(f"another process already runs its database in {directory}")
        self.directory = directory


class PostgresDidNotStart(Exception):
    """The server, or initdb, ended instead of getting ready; the message holds the end of its log."""


class EmbeddedPostgres:
    """A PostgreSQL server on `directory`, which is made and initialised when it is not there.

    `async with EmbeddedPostgres(directory) as url:` gives a URL for SQLAlchemy and asyncpg. `durable=False`
    does not wait for the disk: right for tests, wrong for anything else. `settings` are further `name=value`
    of postgresql.conf. `start` and `stop` are the same for code without an event loop; `kill` ends the server
    as a power cut does.
    """

    def __init__(self, directory: Path, *, durable: bool = True, settings: tuple[str, ...] = ()) -> None:
        self.directory = directory.resolve()
        self._settings = (*settings, *(() if durable else _NOT_DURABLE))
        self._child: ChildProcess | None = None
        self._lock: IO[bytes] | None = None

    async def __aenter__(self) -> str:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    @property
    def url(self) -> str:
        """Where the server is found, for SQLAlchemy with asyncpg."""
        return f"postgresql+asyncpg://postgres@/postgres?host={quote(str(self._socket_directory), safe='')}"

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        return self._postmaster.pid

    def start(self) -> str:
        """Start the server, wait until it takes connections, and return its URL.

        Raises PostgresNotFound, DirectoryInUse or PostgresDidNotStart.
        """
        user = account()
        _make_private(self.directory, user)
        self._lock = _lock(self.directory)
        try:
            programs = find_programs(self._version())
            become = user.run_as(Path(programs.path("postgres")), self.directory) if user else []
            if self._version() is None:
                _initialise(self._data, programs, become, user)
            self._postmaster.end_leftover()
            _make_private(self._socket_directory, user)
            self._run(self._command(programs, become))
        except BaseException:
            self.stop()
            raise
        return self.url

    def stop(self) -> None:
        """Stop the server in order, and free the directory; nothing happens when it does not run."""
        if self._child is not None:
            self._child.stop()
        self._let_go()

    def kill(self) -> None:
        """End the server at once, as a power cut would."""
        if self._child is not None:
            self._child.kill()
        self._let_go()

    def _let_go(self) -> None:
        self._child = None
        if self._socket_directory != self.directory:
            with contextlib.suppress(OSError):  # a killed server leaves its socket there, for the next to replace
                self._socket_directory.rmdir()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    @property
    def _log(self) -> Path:
        return self.directory / "postgres.log"

    @property
    def _postmaster(self) -> Postmaster:
        return Postmaster(self._data)

    @property
    def _socket_directory(self) -> Path:
        if len(str(self.directory / ".s.PGSQL.5432.lock")) <= _LONGEST_SOCKET_PATH:
            return self.directory
        short = hashlib.sha256(str(self.directory).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir(), f"strum-{short}")

    def _version(self) -> int | None:
        try:
            return int((self._data / "PG_VERSION").read_text())
        except FileNotFoundError:
            return None

    def _command(self, programs: PostgresPrograms, become: list[str]) -> list[str]:
        settings = (
            "listen_addresses=",
            "port=5432",
            f"unix_socket_directories={self._socket_directory}",
            "unix_socket_permissions=0700",
            *self._settings,
        )
        options = [option for setting in settings for option in ("-c", setting)]
        return [*become, programs.path("postgres"), "-D", str(self._data), *options]

    def _run(self, command: list[str]) -> None:
        """Launch the server and wait; again while the last processes of a killed one hold the memory."""
        deadline = time.monotonic() + _PATIENCE_S
        self._child = self._launch(command)
        while not self._postmaster.ready:
            if time.monotonic() > deadline:
                raise PostgresDidNotStart(f"PostgreSQL was not ready after {_PATIENCE_S} s:\n{_last_lines(self._log)}")
            time.sleep(0.01)
            if not self._child.running:
                end = _last_lines(self._log)
                if "still in use" not in end:
                    raise PostgresDidNotStart(f"PostgreSQL ended at its start:\n{end}")
                self._child = self._launch(command)

    def _launch(self, command: list[str]) -> ChildProcess:
        self._log.unlink(missing_ok=True)
        return ChildProcess(command, log=self._log, stop_signal=signal.SIGINT)  # SIGINT is its "fast" shutdown


def _make_private(directory: Path, user: Account | None) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if user is not None:
        user.own(directory)
    directory.chmod(0o700)  # refused, and rightly so, when the directory is somebody else's


def _lock(directory: Path) -> IO[bytes]:
    lock = (directory / "lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise DirectoryInUse(directory) from None
    return lock


def _initialise(data: Path, programs: PostgresPrograms, become: list[str], user: Account | None) -> None:
    """Make the data under another name first, so that an interrupted attempt leaves nothing that looks like data."""
    for left in data.parent.glob(f"{_NEW}*"):  # by one that was killed: we hold the lock, so nobody is at it
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=_NEW, dir=data.parent) as temporary:
        if user is not None:
            user.own(Path(temporary))
        new = Path(temporary, "data")
        command = [
            *become,
            programs.path("initdb"),
            "-D",
            str(new),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
        ]
        outcome = subprocess.run(  # noqa: S603 - PostgreSQL's own program
            [*command, *_locale(programs.version)], capture_output=True, text=True, check=False
        )
        if outcome.returncode != 0:
            raise PostgresDidNotStart(f"initdb failed:\n{outcome.stderr}")
        new.rename(data)


def _locale(version: int) -> list[str]:
    if version >= 17:
        return ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=en_US.UTF-8" if sys.platform == "darwin" else "--locale=C.UTF-8"]


def _last_lines(log: Path, count: int = 20) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
