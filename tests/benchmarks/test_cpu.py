import os
import subprocess
import sys
import time

from benchmarks.cpu import Stat, cpu_s, own_cpu_s, rss_kib

BURN = "import time\nwhile time.process_time() < 0.5: pass\n"
BURN_IN_A_CHILD = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN!r}])\n"


def test_a_program_may_have_any_name() -> None:
    line = "12 (a) b (c)) S 7 12 12 0 -1 0 0 0 0 0 150 50 30 20 20 0 1 0 100 0 0"

    assert Stat.parse(line) == Stat(7, 2.0, 0.5)


def test_the_cpu_of_children_counts_while_they_run_and_when_they_have_ended() -> None:
    parent = subprocess.Popen([sys.executable, "-c", BURN_IN_A_CHILD + "input()"], stdin=subprocess.PIPE)
    try:
        wait_for_cpu(parent.pid, 0.3)
        assert own_cpu_s(parent.pid) < 0.3
    finally:
        parent.kill()
        parent.communicate()


def test_a_process_that_is_gone_spends_nothing() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()

    assert cpu_s(gone.pid) == 0


def test_memory_that_is_taken_is_seen() -> None:
    before = rss_kib(os.getpid())
    taken = bytearray(os.urandom(8 * 1024 * 1024))

    assert rss_kib(os.getpid()) - before > 7 * 1024
    assert taken


def wait_for_cpu(pid: int, seconds: float) -> None:
    until = time.monotonic() + 30
    while cpu_s(pid) < seconds:
        assert time.monotonic() < until
        time.sleep(0.02)
