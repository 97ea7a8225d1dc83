"""A real Krita under a screen of its own, with an agent inside that does what a test says."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from acetate.plugins.contents import plugin_files
from acetate.plugins.installing import install
from acetate.plugins.kritarc import enable
from tests.editors.screen import ROOT, Screen, editors_folder

SUITES = ("trixie", "forky")
AGENT = Path(__file__).parent / "agent"

_AGENT_DESKTOP = """[Desktop Entry]
Type=Service
ServiceTypes=Krita/PythonPlugin
X-KDE-Library=acetate_agent
X-Python-2-Compatible=false
Name=Acetate test agent
"""


def install_plugin(home: Path, dark: bool = True) -> Path:
    """The plug-in as painters install it, in a home of its own; returns Krita's resource folder."""
    resources, kritarc = home / ".local" / "share" / "krita", home / ".config" / "kritarc"
    plugins = resources / "pykrita"
    install("krita", plugin_files("krita"), plugins)
    shutil.copytree(
        AGENT,
        plugins / "acetate_agent",
        ignore=shutil.ignore_patterns("__pycache__"),
        dirs_exist_ok=True,
    )
    (plugins / "acetate_agent.desktop").write_text(_AGENT_DESKTOP, encoding="utf-8")
    kritarc.parent.mkdir(parents=True, exist_ok=True)
    theme = "Krita dark" if dark else "Krita bright"
    kritarc.write_text(
        f"[theme]\nTheme={theme}\n\n[python]\nenable_acetate_agent=true\n", encoding="utf-8"
    )
    enable(kritarc)
    return resources


class AgentError(AssertionError):
    """What the agent was told to do raised an exception inside Krita."""


class KritaSession:
    """A running Krita with an agent inside; everything that it says is kept in `log`.

    `environment` reaches the plug-in.
    """

    def __init__(
        self,
        suite: str,
        home: Path,
        screen: Screen,
        environment: dict[str, str] | None = None,
        dark: bool = True,
    ) -> None:
        self.suite, self.home, self.screen = suite, home, screen
        self.log = home / "krita.log"
        self.resources = install_plugin(home, dark)
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(0.5)
        vendored = self.resources / "pykrita" / "acetate_krita" / "vendored"
        given = {
            "ACETATE_AGENT": str(listener.getsockname()[1]),
            "ACETATE_PATHS": f"{vendored}:{ROOT}",
            "PYTHONDONTWRITEBYTECODE": "1",
            **(environment or {}),
        }
        binds = {str(ROOT), str(Path(sys.prefix).resolve())} - {"/usr"}
        binds = {each for each in binds if not each.startswith("/tmp/")}
        self._log = open(self.log, "wb")  # noqa: SIM115 (closed with the editor)
        self.process = subprocess.Popen(
            [str(editors_folder() / "bin" / "ed-run"), "krita", "--nosplash"],
            env={
                **screen.environment,
                **given,
                "EDHOME": str(home),
                "ED_SUITE": suite,
                "ED_BIND": ":".join(sorted(binds)),
                "ED_KEEP": ",".join(given),
            },
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self._connection = self._accept(listener)
        self._connection.settimeout(300)
        self._lines = self._connection.makefile("rw", encoding="utf-8")

    def run(self, code: str) -> Any:
        """Run code inside Krita; returns what it left in `answer`."""
        self._lines.write(json.dumps({"code": code}) + "\n")
        self._lines.flush()
        line = self._lines.readline()
        if not line:
            raise AssertionError(f"Krita left ({self.process.wait(20)}):\n{self.said()[-4000:]}")
        message = json.loads(line)
        if "error" in message:
            raise AgentError(message["error"])
        return message["value"]

    def wait_for(self, expression: str, seconds: float = 60) -> Any:
        """What an expression inside Krita is worth, as soon as it is true."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if found := self.run(f"answer = {expression}"):
                return found
            time.sleep(0.1)
        raise AssertionError(f"never true inside Krita: {expression}\n{self.said()[-3000:]}")

    def said(self) -> str:
        """All that Krita and its plug-ins wrote to the console."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def quit(self, seconds: float = 30) -> int:
        """Quit as a painter does, without being asked whether to save; returns the exit status."""
        if self.process.poll() is None:
            self.run(
                "from krita import Krita\n"
                "from acetate_krita.qt import QtCore\n"
                "for each in Krita.instance().documents():\n"
                "    each.setModified(False)\n"
                "QtCore.QTimer.singleShot(0, Krita.instance().action('file_quit').trigger)\n"
            )
        return self.process.wait(seconds)

    def close(self) -> None:
        """End it, however it stands."""
        if hasattr(self, "_connection"):
            self._connection.close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._log.close()

    def _accept(self, listener: socket.socket, seconds: float = 180) -> socket.socket:
        until = time.monotonic() + seconds
        with listener:
            while time.monotonic() < until and self.process.poll() is None:
                try:
                    return listener.accept()[0]
                except TimeoutError:
                    continue
        self.close()
        raise AssertionError(f"Krita did not come up ({self.process.poll()}):\n{self.said()}")
