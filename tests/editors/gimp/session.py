"""A real GIMP under a screen of its own, with an agent inside that does what a test says."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from acetate.plugin_install import shortcutsrc
from acetate.plugin_install.bundle import plugin_files
from acetate.plugin_install.install import install
from tests.app.server_process import LONG
from tests.editors.screen import ROOT, Screen, editors_folder

VERSIONS = {"trixie": "3.0", "forky": "3.2"}
PICTURES = ROOT / "artifacts" / "editors"
AGENT = ROOT / "tests" / "editors" / "gimp" / "agent.py"

_QUIET = {
    version: f'(check-updates no)\n(show-welcome-dialog no)\n(config-version "{exact}")\n'
    for version, exact in {"3.0": "3.0.4", "3.2": "3.2.6"}.items()
}


def install_plugin(home: Path, version: str, theme: str = "dark") -> Path:
    """The plug-in as painters install it, in a home of its own; returns its folder."""
    folder = home / ".config" / "GIMP" / version
    plugins = folder / "plug-ins"
    plugins.mkdir(parents=True, exist_ok=True)
    install("gimp", plugin_files("gimp"), plugins)
    shortcutsrc.add(folder / "shortcutsrc")
    gimprc = f"{_QUIET[version]}(theme-color-scheme {theme})\n"
    (folder / "gimprc").write_text(gimprc, encoding="utf-8")
    return plugins / "acetate_gimp"


class AgentError(AssertionError):
    """What the agent was told to do raised an exception inside GIMP."""


class Gimp:
    """A running GIMP with an agent inside; everything that it says is kept in `log`.

    Without a `screen` it is the console program. `environment` reaches the plug-ins. `theme` is
    light or dark. `binds` are further folders that it shall see.
    """

    def __init__(
        self,
        suite: str,
        home: Path,
        screen: Screen | None = None,
        environment: dict[str, str] | None = None,
        theme: str = "dark",
        binds: Sequence[str] = (),
    ) -> None:
        self.suite, self.version, self.home, self.screen = suite, VERSIONS[suite], home, screen
        self.log = home / "gimp.log"
        self.plugin = install_plugin(home, self.version, theme)
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(0.5)
        given = {
            "ACETATE_AGENT": str(listener.getsockname()[1]),
            "ACETATE_PATHS": f"{self.plugin}:{ROOT}",
            "PYTHONDONTWRITEBYTECODE": "1",
            **(environment or {}),
        }
        seen = {str(ROOT), str(Path(sys.prefix).resolve()), *binds} - {"/usr"}
        seen = {each for each in seen if not each.startswith("/tmp/")}
        self._log = open(self.log, "wb")  # noqa: SIM115 (stays open as long as GIMP)
        program = ["gimp", "-n", "--no-splash"] if screen else ["gimp-console", "-i", "--quit"]
        self.process = subprocess.Popen(
            [
                str(editors_folder() / "bin" / "ed-run"),
                *program,
                "--batch-interpreter=python-fu-eval",
                "-b",
                f"exec(open({str(AGENT)!r}).read())",
            ],
            env={
                **(screen.environment if screen else os.environ),
                **given,
                "EDHOME": str(home),
                "ED_SUITE": suite,
                "ED_BIND": ":".join(sorted(seen)),
                "ED_KEEP": ",".join(given),
            },
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self._connection = self._accept(listener)
        self._connection.settimeout(LONG)
        self._lines = self._connection.makefile("rw", encoding="utf-8")
        if screen:
            self.window = screen.wait_for_window("GNU Image Manipulation Program|GIMP")

    def run(self, code: str) -> Any:
        """Run code inside GIMP; returns what it left in `answer`."""
        self._send({"code": code})
        while True:
            line = self._lines.readline()
            if not line:
                raise AssertionError(f"GIMP left:\n{self.said()}")
            message = json.loads(line)
            if "ask" in message:
                self._do(*message["ask"])
                self._send({"done": True})
            elif "error" in message:
                raise AgentError(message["error"])
            else:
                return message["value"]

    def said(self) -> str:
        """All that GIMP and its plug-ins wrote to the console."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """End it, the way that nobody is asked whether to save."""
        if hasattr(self, "_connection"):
            self._connection.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._log.close()

    def _accept(self, listener: socket.socket) -> socket.socket:
        until = time.monotonic() + LONG
        with listener:
            while time.monotonic() < until and self.process.poll() is None:
                try:
                    return listener.accept()[0]
                except TimeoutError:
                    continue
        self.close()
        raise AssertionError(f"GIMP did not come up:\n{self.said()}")

    def _send(self, message: dict[str, Any]) -> None:
        self._lines.write(json.dumps(message) + "\n")
        self._lines.flush()

    def _do(self, verb: str, *words: str) -> None:
        assert self.screen is not None
        if verb == "key":
            self.screen.focus(self.window)
            self.screen.key(*words)
        elif verb == "press":
            title, *keys = words
            self.screen.focus(self.screen.wait_for_window(title))
            self.screen.key(*keys)
        elif verb == "picture":
            title, name = words
            window = self.screen.wait_for_window(title) if title else "root"
            self.screen.picture(PICTURES / f"gimp-{self.version}-{name}.png", window)
        else:
            raise AssertionError(verb)
