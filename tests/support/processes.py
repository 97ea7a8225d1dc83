"""Processes that a server has started, some of which end while one looks."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator

import psutil


def children_running(pid: int, module: str) -> list[psutil.Process]:
    """Those below a process whose command line names the module."""
    found: list[psutil.Process] = []
    for child in psutil.Process(pid).children(recursive=True):
        try:
            if module in child.cmdline():
                found.append(child)
        except psutil.Error:
            continue  # It has just ended.
    return found


def is_stopped(process: psutil.Process) -> bool:
    """Whether it lives and has been stopped."""
    try:
        return process.status() == psutil.STATUS_STOPPED
    except psutil.Error:
        return False


@contextlib.contextmanager
def painting_held(pid: int, patience: float = 300.0) -> Iterator[None]:
    """Nothing is painted by the workers of the server with this process for the block.

    So what a test does meanwhile is done before a result comes, however slow the machine is.
    """
    until = time.monotonic() + patience
    while not (workers := children_running(pid, "acetate.workers.process")):
        assert time.monotonic() < until, "the server has no worker"
        time.sleep(0.05)
    for worker in workers:
        worker.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for worker in workers:
            with contextlib.suppress(psutil.NoSuchProcess):
                worker.send_signal(signal.SIGCONT)
