"""Starts the server for a plug-in inside a chroot, which holds no Acetate and so has to ask."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

from tests.app.server_process import RunningServer

_LAUNCHER = """#!/usr/bin/python3
import tempfile
tempfile.mkstemp(dir={calls!r})
"""


class Caller:
    """`command` is what the plug-in runs (ACETATE_COMMAND); `calls` counts how often it did.

    Every call leaves a file in a folder that the chroots see, too.
    """

    def __init__(self, server: RunningServer, folder: Path) -> None:
        self.calls = 0
        self._server = server
        self._left = folder / "calls"
        self._left.mkdir(exist_ok=True)
        self._heard = set(self._left.iterdir())
        self.command = folder / "start-acetate"
        self.command.write_text(_LAUNCHER.format(calls=str(self._left)))
        self.command.chmod(self.command.stat().st_mode | stat.S_IXUSR)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="caller")
        self._thread.start()

    def _serve(self) -> None:
        while not self._closed.wait(0.05):
            for call in set(self._left.iterdir()) - self._heard:
                self._heard.add(call)
                self.calls += 1
                self._server.start()

    def close(self) -> None:
        """Hear no more calls."""
        self._closed.set()
        self._thread.join()
