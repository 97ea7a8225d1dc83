"""A real GIMP under a screen of its own, with an agent inside that does what a test says."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import websockets

ROOT = Path(__file__).resolve().parents[3]
VERSIONS = {"trixie": "3.0", "forky": "3.2"}
PLUGIN = ROOT / "gimp_plugin" / "acetate_gimp"
AGENT = ROOT / "tests" / "editors" / "gimp" / "agent.py"

_QUIET = {
    "3.0": '(check-updates no)\n(show-welcome-dialog no)\n(config-version "3.0.4")\n',
    "3.2": '(check-updates no)\n(show-welcome-dialog no)\n(config-version "3.2.6")\n',
}
_SHORTCUTS = '(file-version 1)\n(action "acetate-open-panel" "F9")\n'


def editors_folder() -> Path:
    """Where `make editors` put the editors."""
    return Path(os.environ.get("ACETATE_EDITORS") or ROOT / ".editors")


def install_plugin(home: Path, version: str) -> Path:
    """The plug-in as it is installed, in a new home; returns its folder."""
    folder = home / ".config" / "GIMP" / version
    target = folder / "plug-ins" / "acetate_gimp"
    if target.exists():
        shutil.rmtree(target)
    ignored = shutil.ignore_patterns("__pycache__", "*.so", "*.pyi", "*.c")
    shutil.copytree(PLUGIN, target, ignore=ignored)
    shutil.copytree(ROOT / "shared" / "acetate_bridge", target / "acetate_bridge", ignore=ignored)
    shutil.copytree(Path(websockets.__file__).parent, target / "websockets", ignore=ignored)
    (target / "acetate_gimp.py").chmod(0o755)
    (folder / "shortcutsrc").write_text(_SHORTCUTS, encoding="utf-8")
    (folder / "gimprc").write_text(_QUIET[version], encoding="utf-8")
    return target


class AgentError(AssertionError):
    """What the agent was told to do raised an exception inside GIMP."""


class Screen:
    """A private X server with a window manager, ended by `close`."""

    def __init__(self, size: str = "1600x1000x24") -> None:
        read, write = os.pipe()
        self._processes = [
            subprocess.Popen(
                ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp"],
                pass_fds=[write],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        ]
        os.close(write)
        # Read up to the end of the line: Xvfb gives up when nobody takes all of its answer.
        with open(read, encoding="ascii") as answer:
            number = answer.readline().strip()
        if not number:
            raise RuntimeError("Xvfb did not start")
        self.display = f":{number}"
        self._processes.append(
            subprocess.Popen(
                ["openbox"],
                env=self.environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a program that shall appear on this screen."""
        return {**os.environ, "DISPLAY": self.display}

    def do(self, *command: str, check: bool = True) -> str:
        """Run xdotool, import or the like on this screen."""
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=60
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)}: {done.stderr or done.stdout}")
        return done.stdout.strip()

    def windows(self, name: str) -> list[str]:
        """Visible windows whose title matches."""
        return self.do("xdotool", "search", "--onlyvisible", "--name", name, check=False).split()

    def wait_for_window(self, name: str, seconds: float = 60) -> str:
        """The window with this title, as soon as it is there."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if found := self.windows(name):
                return found[-1]
            time.sleep(0.1)
        raise AssertionError(f"no window {name!r} came; there are: {self.titles()}")

    def titles(self) -> list[str]:
        """The titles of all visible windows."""
        found = self.do("xdotool", "search", "--onlyvisible", "--name", ".", check=False).split()
        return [self.do("xdotool", "getwindowname", each, check=False) for each in found]

    def focus(self, window: str) -> None:
        """Give a window the keyboard."""
        self.do("xdotool", "windowactivate", "--sync", window)

    def key(self, *keys: str) -> None:
        """Press keys, one after the other."""
        self.do("xdotool", "key", "--clearmodifiers", "--delay", "30", *keys)

    def type(self, text: str) -> None:
        """Type a text."""
        self.do("xdotool", "type", "--delay", "15", text)

    def picture(self, path: Path, window: str = "root") -> Path:
        """A screenshot of everything, or of one window."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.do("import", "-window", window, str(path))
        return path

    def close(self) -> None:
        """End window manager and X server."""
        for process in reversed(self._processes):
            process.terminate()
            process.wait(10)


class Gimp:
    """A running GIMP with an agent inside; everything that it says is kept in `log`.

    Without a `screen` it is the console program. `environment` reaches the plug-ins.
    """

    def __init__(
        self,
        suite: str,
        home: Path,
        screen: Screen | None = None,
        environment: dict[str, str] | None = None,
        arguments: tuple[str, ...] = (),
    ) -> None:
        self.suite, self.version, self.home, self.screen = suite, VERSIONS[suite], home, screen
        self.log = home / "gimp.log"
        self.plugin = install_plugin(home, self.version)
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(0.5)
        given = {
            "ACETATE_AGENT": str(listener.getsockname()[1]),
            "ACETATE_PATHS": f"{self.plugin}:{ROOT}",
            "PYTHONDONTWRITEBYTECODE": "1",
            **(environment or {}),
        }
        binds = {str(ROOT), str(Path(sys.prefix).resolve())} - {"/usr"}
        binds = {each for each in binds if not each.startswith("/tmp/")}
        self._log = open(self.log, "wb")
        program = ["gimp", "-n", "--no-splash"] if screen else ["gimp-console", "-i", "--quit"]
        self.process = subprocess.Popen(
            [
                str(editors_folder() / "bin" / "ed-run"),
                *program,
                *arguments,
                "--batch-interpreter=python-fu-eval",
                "-b",
                f"exec(open({str(AGENT)!r}).read())",
            ],
            env={
                **(screen.environment if screen else os.environ),
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

    def _accept(self, listener: socket.socket, seconds: float = 180) -> socket.socket:
        until = time.monotonic() + seconds
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
        assert self.screen is not None and verb == "key", (verb, words)
        self.screen.focus(self.window)
        self.screen.key(*words)
