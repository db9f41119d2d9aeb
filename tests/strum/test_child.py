import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from strum.child import ChildProcess

PRINT_PID_AND_WAIT = ["/bin/sh", "-c", "echo $$; exec sleep 60"]


def first_line(log: Path) -> str:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if "\n" in (text := log.read_text() if log.exists() else ""):
            return text.splitlines()[0]
        time.sleep(0.01)
    raise AssertionError(f"nothing was written to {log}")


def ends(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
            if Path("/proc/self").exists() and not Path(f"/proc/{pid}/cmdline").read_bytes():
                return True  # ended, and not yet collected by its new parent
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.01)
    return False


def test_stop_ends_the_program_with_its_stop_signal(tmp_path: Path) -> None:
    trap = "trap 'echo interrupted; exit 0' USR1; echo ready; while :; do sleep 0.02; done"
    child = ChildProcess(["/bin/sh", "-c", trap], log=tmp_path / "log", stop_signal=signal.SIGUSR1)
    first_line(tmp_path / "log")

    child.stop()

    assert not child.running
    assert (tmp_path / "log").read_text() == "ready\ninterrupted\n"


def test_a_program_that_does_not_heed_the_signal_is_killed(tmp_path: Path) -> None:
    deaf = "trap '' TERM; echo $$; while :; do sleep 0.02; done"
    child = ChildProcess(["/bin/sh", "-c", deaf], log=tmp_path / "log")
    pid = int(first_line(tmp_path / "log"))

    child.stop(timeout_s=0.2)

    assert not child.running
    assert ends(pid)


def test_kill_ends_the_program_at_once(tmp_path: Path) -> None:
    child = ChildProcess(PRINT_PID_AND_WAIT, log=tmp_path / "log")
    pid = int(first_line(tmp_path / "log"))

    child.kill()

    assert ends(pid)


def test_a_program_that_ends_by_itself_is_seen_to_have_ended(tmp_path: Path) -> None:
    child = ChildProcess(["/bin/sh", "-c", "echo done"], log=tmp_path / "log")
    first_line(tmp_path / "log")

    deadline = time.monotonic() + 10
    while child.running and time.monotonic() < deadline:
        time.sleep(0.01)

    assert not child.running
    child.stop()


def test_the_program_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = (
        "import sys, time; from pathlib import Path; from strum.child import ChildProcess\n"
        f"child = ChildProcess({PRINT_PID_AND_WAIT!r}, log=Path(sys.argv[1])); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(log)])
    pid = int(first_line(log))

    parent.kill()
    parent.wait()

    assert ends(pid)


def test_the_program_is_in_a_session_of_its_own(tmp_path: Path) -> None:
    child = ChildProcess(PRINT_PID_AND_WAIT, log=tmp_path / "log")
    pid = int(first_line(tmp_path / "log"))

    assert os.getsid(pid) != os.getsid(0)
    child.kill()
