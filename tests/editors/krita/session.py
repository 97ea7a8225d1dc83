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

import websockets

from tests.editors.screen import ROOT, Screen, editors_folder

SUITES = ("trixie", "forky")
PLUGIN = ROOT / "krita_plugin"
AGENT = Path(__file__).parent / "agent"

_AGENT_DESKTOP = """[Desktop Entry]
Type=Service
ServiceTypes=Krita/PythonPlugin
X-KDE-Library=acetate_agent
X-Python-2-Compatible=false
Name=Acetate test agent
"""


def install(home: Path, dark: bool = True) -> Path:
    """The plug-in as it is installed, in a new home; returns Krita's resource folder."""
    resources = home / ".local" / "share" / "krita"
    plugins = resources / "pykrita"
    shutil.rmtree(plugins, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__", "*.so", "*.pyi", "*.c")
    target = plugins / "acetate_krita"
    shutil.copytree(PLUGIN / "acetate_krita", target, ignore=ignored)
    shutil.copy(PLUGIN / "acetate_krita.desktop", plugins)
    if (PLUGIN / "acetate_krita.action").exists():
        (resources / "actions").mkdir(parents=True, exist_ok=True)
        shutil.copy(PLUGIN / "acetate_krita.action", resources / "actions")
    vendored = target / "vendored"
    shutil.copytree(ROOT / "shared" / "acetate_bridge", vendored / "acetate_bridge", ignore=ignored)
    shutil.copytree(Path(websockets.__file__).parent, vendored / "websockets", ignore=ignored)
    shutil.copytree(AGENT, plugins / "acetate_agent", ignore=ignored)
    (plugins / "acetate_agent.desktop").write_text(_AGENT_DESKTOP, encoding="utf-8")
    config = home / ".config"
    config.mkdir(parents=True, exist_ok=True)
    theme = "Krita dark" if dark else "Krita bright"
    (config / "kritarc").write_text(
        f"[theme]\nTheme={theme}\n\n"
        "[python]\nenable_acetate_krita=true\nenable_acetate_agent=true\n",
        encoding="utf-8",
    )
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
        self.resources = install(home, dark)
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
