"""Looks into the process of the panel, from the test outside; see `eyes/sitecustomize.py`."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

from tests.app.server_process import LONG
from tests.editors.patience import NotInTime


class Looking:
    """`environment` has to reach GIMP; `folder` is a place that it sees, too."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        eyes = Path(__file__).parent / "eyes"
        self.environment = {"ACETATE_EYES": str(folder), "PYTHONPATH": str(eyes)}

    def run(self, code: str) -> Any:
        """Run code where the panel is; returns what it left in `answer`."""
        until = time.monotonic() + LONG
        while time.monotonic() < until:
            for file in self._folder.iterdir():
                with_panel = self._ask(file, "from tests.editors.gimp.seen import *\npanel()")
                if with_panel is not None and "error" not in with_panel:
                    found = self._ask(file, code)
                    assert found is not None and "error" not in found, found
                    return found["value"]
            time.sleep(0.1)
        raise NotInTime("there is no panel to look at")

    def ask(self, expression: str) -> Any:
        """What an expression is worth there."""
        return self.run(f"answer = {expression}")

    def _ask(self, file: Path, code: str) -> dict[str, Any] | None:
        """The answer of one process; None when it is gone, or has no main loop."""
        try:
            port = int(file.read_text())
            with (
                socket.create_connection(("127.0.0.1", port), 10) as connection,
                connection.makefile("rwb") as stream,
            ):
                stream.write(json.dumps({"code": code}).encode() + b"\n")
                stream.flush()
                return json.loads(stream.readline())
        except (OSError, ValueError):
            return None
