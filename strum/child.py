"""A child process that never outlives its parent, and that the terminal's Ctrl-C does not reach.

A small shell, in a session of its own, starts the program and holds one end of a pipe. When the parent closes
the other end, or dies in whatever way, the shell sends the stop signal to the program; a line in the pipe
names another signal. So nothing is left running after a `kill -9` of the parent, and after Ctrl-C it is the
parent who decides when the child stops.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_KEEPER = """
exec 3<&0 </dev/null
stop=$1; shift
"$@" 3<&- & child=$!
{ read -r name <&3 || name=$stop; kill -s "$name" "$child"; } 2>/dev/null & watcher=$!
wait "$child"; status=$?
kill "$watcher" 2>/dev/null
exit "$status"
"""

_PATIENCE_S = 1.0  # for the shell to see the end of its program, which SIGKILL makes immediate


class ChildProcess:
    """A program that runs until `stop` or `kill` is called or this process ends.

    Its output is appended to `log`. `stop_signal` is the signal that asks the program for an orderly end.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        with log.open("ab") as output:
            self._keeper = subprocess.Popen(  # noqa: S603 - the commands are the project's own
                ["/bin/sh", "-c", _KEEPER, "sh", stop_signal.name.removeprefix("SIG"), *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        """Whether the program has not ended yet."""
        return self._keeper.poll() is None

    def stop(self, timeout_s: float = 15) -> None:
        """Ask the program to end, wait for it, and kill it when it does not end in time."""
        self._release()
        try:
            self._keeper.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._end_group()

    def kill(self) -> None:
        """End the program and its whole process group at once, as `kill -9` does."""
        self._release(b"KILL\n")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._keeper.wait(_PATIENCE_S)
        self._end_group()

    def _end_group(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._keeper.pid, signal.SIGKILL)
        self._keeper.wait()

    def _release(self, line: bytes = b"") -> None:
        pipe = self._keeper.stdin
        if pipe is not None and not pipe.closed:
            with contextlib.suppress(BrokenPipeError):
                pipe.write(line)
                pipe.close()
