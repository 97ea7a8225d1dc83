"""A session bus for GIMP, such as every desktop has: its own chroot has the program for it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.app.server_process import LONG
from tests.editors.screen import editors_folder


class SessionBus:
    """`address` is what programs find it by; it stays until `close`."""

    def __init__(self, suite: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        words = ("--session", "--nofork", "--nopidfile", "--print-address=1")
        self._process = subprocess.Popen(
            [
                str(editors_folder() / "bin" / "ed-run"),
                "dbus-daemon",
                *words,
                f"--address=unix:path={folder / 'bus'}",
            ],
            env={**os.environ, "EDHOME": str(folder), "ED_SUITE": suite},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()
        assert self.address, "no session bus came up"

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.communicate(timeout=LONG)
