"""`acetate stop`: end the server of this machine, whoever started it."""

from __future__ import annotations

import os
import signal
import time

import psutil
import typer

from acetate.errors import AcetateError
from acetate_bridge.client.discovery import RUNTIME_FILE, Runtime, read_runtime, runtime_folder

_PATIENCE = 20.0
"""Seconds that a server may take to wind up: it lets what is painted end for a few."""


_CLOCKS_DIFFER = 2.0
"""Seconds by which the clock of a file system may lie behind that of the processes."""


class CannotStop(AcetateError):
    """The server goes on."""

    code = "cannot_stop"


def stop() -> None:
    """Stop the server that runs on this machine. Its jobs and results are kept for the next one."""
    runtime = read_runtime()
    if runtime is None or not _is_its_process(runtime):
        typer.echo("No server is running.")
        return
    try:
        os.kill(runtime.pid, signal.SIGTERM)
    except ProcessLookupError:
        pass
    except OSError as error:
        raise CannotStop(
            f"The server (process {runtime.pid}) cannot be stopped: {error.strerror}.",
            "Stop it as the one who started it.",
        ) from error
    if not _is_gone(runtime):
        raise CannotStop(
            f"The server (process {runtime.pid}) has not ended yet.", "Wait, or end that process."
        )
    typer.echo(f"The server at {runtime.address} has stopped.")


def _is_its_process(runtime: Runtime) -> bool:
    """Whether the process is as old as the word that it left: numbers are given out again."""
    try:
        left = (runtime_folder() / RUNTIME_FILE).stat().st_mtime
        return psutil.Process(runtime.pid).create_time() <= left + _CLOCKS_DIFFER
    except (OSError, psutil.Error):
        return False


def _is_gone(runtime: Runtime) -> bool:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        now = read_runtime()
        if now is None or now.pid != runtime.pid:
            return True
        time.sleep(0.05)
    return False
