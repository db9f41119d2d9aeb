"""Several processes that share one port (SO_REUSEPORT): a worker that dies is started anew."""

import multiprocessing
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess

import structlog

log = structlog.get_logger()

_PAUSE_S = 1.0
_POLL_S = 0.2
_STOP_S = 30.0


def supervise(count: int, work: Callable[[int], None]) -> None:
    """Run `work(index)` in `count` processes until SIGTERM or SIGINT, which each of them gets too."""
    spawn = multiprocessing.get_context("spawn")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    workers = [_start(spawn, work, index) for index in range(count)]
    while not stopping.is_set():
        time.sleep(_POLL_S)
        for index, worker in enumerate(workers):
            if not worker.is_alive() and not stopping.is_set():
                log.error("worker_died", index=index, code=worker.exitcode)
                time.sleep(_PAUSE_S)
                workers[index] = _start(spawn, work, index)
    _stop(workers)


def _start(spawn: multiprocessing.context.SpawnContext, work: Callable[[int], None], index: int) -> BaseProcess:
    worker = spawn.Process(target=work, args=(index,), name=f"strum-communication-{index}")
    worker.start()
    return worker


def _stop(workers: list[BaseProcess]) -> None:
    for worker in workers:
        worker.terminate()
    until = time.monotonic() + _STOP_S
    for worker in workers:
        worker.join(max(0.0, until - time.monotonic()))
        if worker.is_alive():
            worker.kill()
