"""A real Krita under a screen of its own, with an agent inside that does what a test says."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from acetate.plugin_install.bundle import plugin_files
from acetate.plugin_install.install import install
from acetate.plugin_install.kritarc import enable
from tests.app.server_process import LONG
from tests.editors.patience import NotInTime
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


_IMPORT = """
import builtins, sys
builtins.i18n = str
sys.path.insert(0, "/usr/share/krita/pykrita/plugin_importer")
from plugin_importer import PluginImporter
found = PluginImporter(*sys.argv[1:], lambda plugin: True).import_all()
print(*(plugin["name"] for plugin in found))
"""


def resources_of(home: Path) -> Path:
    """Krita's resource folder in this home."""
    return home / ".local" / "share" / "krita"


def install_plugin(home: Path) -> None:
    """The plug-in as `acetate plugins install krita` puts it there."""
    install("krita", plugin_files("krita"), resources_of(home) / "pykrita")


def import_zip(suite: str, home: Path, archive: Path) -> str:
    """Let Krita's own importer unpack a zip; returns the names of the plug-ins that it found."""
    resources_of(home).mkdir(parents=True)
    command = ["python3", "-c", _IMPORT, str(archive), str(resources_of(home))]
    return subprocess.run(
        [str(editors_folder() / "bin" / "ed-run"), *command],
        env={**os.environ, "EDHOME": str(home), "ED_SUITE": suite},
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONG,
    ).stdout.strip()


def _prepare(home: Path, dark: bool) -> None:
    """The agent beside the plug-in, and settings in which both are enabled."""
    plugins, kritarc = resources_of(home) / "pykrita", home / ".config" / "kritarc"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(AGENT, plugins / "acetate_agent", ignore=ignored, dirs_exist_ok=True)
    (plugins / "acetate_agent.desktop").write_text(_AGENT_DESKTOP, encoding="utf-8")
    kritarc.parent.mkdir(parents=True, exist_ok=True)
    theme = "Krita dark" if dark else "Krita bright"
    kritarc.write_text(
        f"[theme]\nTheme={theme}\n\n[python]\nenable_acetate_agent=true\n", encoding="utf-8"
    )
    enable(kritarc)


class AgentError(AssertionError):
    """What the agent was told to do raised an exception inside Krita."""


class KritaSession:
    """A running Krita with an agent inside; everything that it says is kept in `log`.

    The plug-in is in `home` already; `environment` reaches it, and `binds` are further
    folders that it shall see.
    """

    def __init__(
        self,
        suite: str,
        home: Path,
        screen: Screen,
        environment: dict[str, str] | None = None,
        dark: bool = True,
        binds: Sequence[str] = (),
    ) -> None:
        self.suite, self.home, self.screen = suite, home, screen
        self.log = home / "krita.log"
        _prepare(home, dark)
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(0.5)
        vendored = resources_of(home) / "pykrita" / "acetate_krita" / "vendored"
        self._port = str(listener.getsockname()[1])
        given = {
            "ACETATE_AGENT": self._port,
            "ACETATE_PATHS": f"{vendored}:{ROOT}",
            "PYTHONDONTWRITEBYTECODE": "1",
            **(environment or {}),
        }
        seen = {str(ROOT), str(Path(sys.prefix).resolve()), *binds} - {"/usr"}
        seen = {each for each in seen if not each.startswith("/tmp/")}
        self._log = open(self.log, "wb")  # noqa: SIM115 (closed with the editor)
        self.process = subprocess.Popen(
            [str(editors_folder() / "bin" / "ed-run"), "krita", "--nosplash"],
            env={
                **screen.environment,
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
        self._lines = self._connection.makefile("rw", encoding="utf-8")

    def run(self, code: str, seconds: float = 300) -> Any:
        """Run code inside Krita, which may take so long; returns what it left in `answer`."""
        self._connection.settimeout(seconds)
        self._lines.write(json.dumps({"code": code}) + "\n")
        self._lines.flush()
        line = self._lines.readline()
        if not line:
            raise AssertionError(f"Krita left ({self.process.wait(20)}):\n{self.said()[-4000:]}")
        message = json.loads(line)
        if "error" in message:
            raise AgentError(message["error"])
        return message["value"]

    def wait_for(self, expression: str) -> Any:
        """What an expression inside Krita is worth, as soon as it is true."""
        until = time.monotonic() + LONG
        while time.monotonic() < until:
            if found := self.run(f"answer = {expression}"):
                return found
            time.sleep(0.1)
        raise NotInTime(f"never true inside Krita: {expression}\n{self.said()[-3000:]}")

    def processes(self) -> list[str]:
        """The commands of all processes that this Krita has started, itself included."""
        mark, found = f"ACETATE_AGENT={self._port}".encode(), list[str]()
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # It ended meanwhile, or is not ours to look at.
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    words = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                    found.append(words.decode(errors="replace"))
        return found

    def said(self) -> str:
        """All that Krita and its plug-ins wrote to the console."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def quit(self) -> int:
        """Quit as a painter does, without being asked whether to save; returns the exit status."""
        if self.process.poll() is None:
            self.run(
                "from krita import Krita\n"
                "from acetate_krita.qt import QtCore\n"
                "for each in Krita.instance().documents():\n"
                "    each.setModified(False)\n"
                "QtCore.QTimer.singleShot(0, Krita.instance().action('file_quit').trigger)\n"
            )
        return self.process.wait(LONG)

    def close(self) -> None:
        """End it, however it stands."""
        if hasattr(self, "_connection"):
            self._connection.close()
        if self.process.poll() is None:
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
        raise AssertionError(f"Krita did not come up ({self.process.poll()}):\n{self.said()}")
