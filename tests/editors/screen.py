"""A screen of its own for an editor under test, and where `make editors` has put the editors."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from tests.app.server_process import LONG
from tests.editors.patience import NotInTime

ROOT = Path(__file__).resolve().parents[2]


def editors_folder() -> Path:
    """Where `make editors` put the editors."""
    return Path(os.environ.get("ACETATE_EDITORS") or ROOT / ".editors")


def missing(suite: str) -> str:
    """Why a suite's editors cannot be tested here; empty when they can."""
    needed = [f"root-{suite}/.editors-stamp", "bin/ed-run"]
    if all((editors_folder() / file).exists() for file in needed):
        return ""
    return f"the editors of {suite} are not set up here: make editors"


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
            command, env=self.environment, capture_output=True, text=True, timeout=LONG
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)}: {done.stderr or done.stdout}")
        return done.stdout.strip()

    def windows(self, name: str) -> list[str]:
        """Visible windows whose title matches."""
        return self.do("xdotool", "search", "--onlyvisible", "--name", name, check=False).split()

    def wait_for_window(self, name: str) -> str:
        """The window with this title, as soon as it is there."""
        until = time.monotonic() + LONG
        while time.monotonic() < until:
            if found := self.windows(name):
                return found[-1]
            time.sleep(0.1)
        raise NotInTime(f"no window {name!r} came; there are: {self.titles()}")

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
            process.wait(LONG)
