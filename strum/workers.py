"""Several processes that share one port (SO_REUSEPORT): a worker that dies is started anew."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess

import structlog

log = structlog.get_logger()

_PAUSE_S = 1.0
_POLL_S = 0.2


def supervise(count: int, work: Callable[[int], None], *, stop_s: float = 30.0) -> None:
    """Run `work(index)` in `count` processes until SIGTERM or SIGINT, which each of them gets too, also a second one.

    One that has not ended `stop_s` seconds later is killed.
    """
    spawn = multiprocessing.get_context("spawn")
    stopping, workers = threading.Event(), list[BaseProcess]()

    def told(*_: object) -> None:
        if stopping.is_set():
            _terminate(workers)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told)
    signal.signal(signal.SIGHUP, lambda *_: _hang_up(workers))
    workers += [_start(spawn, work, index) for index in range(count)]
    while not stopping.wait(_POLL_S):
        for index, worker in enumerate(workers):
            if not worker.is_alive() and not stopping.is_set():
                log.error("worker_died", index=index, code=worker.exitcode)
                if not stopping.wait(_PAUSE_S):
                    workers[index] = _start(spawn, work, index)
    _stop(workers, stop_s)


def _start(spawn: multiprocessing.context.SpawnContext, work: Callable[[int], None], index: int) -> BaseProcess:
    worker = spawn.Process(target=work, args=(index,), name=f"strum-communication-{index}")
    worker.start()
    return worker


def _terminate(workers: list[BaseProcess]) -> None:
    for worker in workers:
        worker.terminate()


def _hang_up(workers: list[BaseProcess]) -> None:
    for worker in workers:
        if worker.pid is not None and worker.is_alive():
            os.kill(worker.pid, signal.SIGHUP)


def _stop(workers: list[BaseProcess], within_s: float) -> None:
    _terminate(workers)
    until = time.monotonic() + within_s
    for worker in workers:
        worker.join(max(0.0, until - time.monotonic()))
        if worker.is_alive():
            worker.kill()
