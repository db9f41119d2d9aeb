"""Where log lines go: written by a thread, so that a pipe that nobody reads or a full disk stops nothing else."""

import atexit
import os
import threading
import time
from collections import deque

from prometheus_client import Counter

DROPPED = Counter(
    "strum_log_lines_dropped_total", "Log lines lost, since their sink was blocked or full", registry=None
)

_MOST_LINES = 10_000
_MOST_CHARACTERS = 8 * 1024 * 1024
_LAST_LINES_S = 1.0


class Sink:
    """Takes lines without ever waiting; what does not fit, or cannot be written, is dropped and counted."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lines: deque[str] = deque()
        self._characters = 0
        self._writing = False
        self._changed = threading.Condition()
        threading.Thread(target=self._run, name="log sink", daemon=True).start()
        atexit.register(self.drain, _LAST_LINES_S)

    def write(self, text: str) -> int:
        """Take a line."""
        with self._changed:
            if len(self._lines) >= _MOST_LINES or self._characters + len(text) > _MOST_CHARACTERS:
                DROPPED.inc()
            else:
                self._lines.append(text)
                self._characters += len(text)
                self._changed.notify()
        return len(text)

    def flush(self) -> None:
        """Nothing: lines are written as soon as they can be."""

    def drain(self, within_s: float) -> None:
        """Wait until everything taken is written, for at most this long."""
        until = time.monotonic() + within_s
        with self._changed:
            while (self._lines or self._writing) and time.monotonic() < until:
                self._changed.wait(0.05)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._writing = False
                self._changed.notify()
                while not self._lines:
                    self._changed.wait()
                self._writing = True
                lines = list(self._lines)
                self._lines.clear()
                self._characters = 0
            for line in lines:
                self._write(line)

    def _write(self, line: str) -> None:
        left = line.encode("utf-8", "backslashreplace")
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError:  # no room, nobody reads, closed
            DROPPED.inc()
