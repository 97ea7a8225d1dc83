"""Starts the server for a plug-in inside a chroot, which holds no Acetate and so has to ask."""

from __future__ import annotations

import contextlib
import socket
import stat
import threading
from pathlib import Path

from tests.app.server_process import RunningServer

_LAUNCHER = """#!/usr/bin/python3
import socket
socket.create_connection(("127.0.0.1", {port})).close()
"""


class Caller:
    """`command` is what the plug-in runs (ACETATE_COMMAND); `calls` counts how often it did."""

    def __init__(self, server: RunningServer, folder: Path) -> None:
        self.calls = 0
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.command = folder / "start-acetate"
        self.command.write_text(_LAUNCHER.format(port=self._listener.getsockname()[1]))
        self.command.chmod(self.command.stat().st_mode | stat.S_IXUSR)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._listener.accept()[0].close()
                self.calls += 1
                self._server.start()

    def close(self) -> None:
        """Hear no more calls."""
        self._listener.close()
