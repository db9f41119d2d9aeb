"""What `postmaster.pid` of a data directory tells about the server on it, dead or alive."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

_NO_PID = 2**31 - 1  # above every system's largest


@dataclass(frozen=True)
class Postmaster:
    """The server process on the data directory `data`."""

    data: Path

    @property
    def pid(self) -> int:
        """The process id that the directory names; FileNotFoundError when there is none."""
        return int(self._lines()[0])

    @property
    def ready(self) -> bool:
        """Whether the server runs and takes connections."""
        try:
            return self._lines()[7].strip() == "ready" and self._is_ours(self.pid)
        except (FileNotFoundError, IndexError):
            return False

    def end_leftover(self) -> None:
        """End a server that an earlier, killed run left here.

        A pid that now is another program's is replaced by one that cannot be, for PostgreSQL would take that
        program for a server. The file itself stays: PostgreSQL finds by it what else outlived the server.
        """
        try:
            pid = self.pid
        except (FileNotFoundError, IndexError):
            return
        for stop, patience_s in ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0)):
            deadline = time.monotonic() + patience_s
            if self._is_ours(pid):
                os.kill(pid, stop)
            while self._is_ours(pid) and time.monotonic() < deadline:
                time.sleep(0.02)
        if self._file.exists() and not self._is_ours(pid):
            self._file.write_text("\n".join([str(_NO_PID), *self._lines()[1:], ""]))

    @property
    def _file(self) -> Path:
        return self.data / "postmaster.pid"

    def _lines(self) -> list[str]:
        return self._file.read_text().splitlines()

    def _is_ours(self, pid: int) -> bool:
        return str(self.data) in _command_of(pid)


def _command_of(pid: int) -> str:
    """The command line of a process, empty if there is none; from ps where there is no /proc."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return ""
    command = ["ps", "-ww", "-p", str(pid), "-o", "command="]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603 - a fixed command
