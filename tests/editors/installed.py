"""Acetate for an editor by the README's own commands: no server runs, nothing is on its path."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

from tests.app.server_process import LONG
from tests.support.wheel_environment import build_wheel, install_wheel

FEW_STEPS = {"steps": {"embedded": 2}}


def wheel_environment(folder: Path) -> Path:
    """An environment with the wheel in this folder, made at the first call."""
    place = folder / "acetate env"
    if not place.exists():
        install_wheel(build_wheel(folder), place)
    return place


def install_by_command(editor: str, home: Path, place: Path) -> str:
    """`acetate plugins install EDITOR` by somebody with this home; returns what it said.

    Acetate is installed in the environment `place`, as the README says, from its wheel.
    """
    settings = home / ".config" / "acetate" / "panel.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps(FEW_STEPS))
    done = subprocess.run(
        [str(place / "bin" / "acetate"), "plugins", "install", editor],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=LONG,
    )
    assert done.returncode == 0, done.stderr
    note = home / ".local" / "share" / "acetate" / "installation.json"
    assert str(place) in note.read_text(encoding="utf-8")
    return done.stdout


def installation() -> list[str]:
    """The folders of the libraries, which an editor in a chroot has to see."""
    libraries = [sysconfig.get_path("purelib"), *sys.path]
    folders = {sys.prefix, sys.base_prefix, *(each for each in libraries if "packages" in each)}
    found = {str(Path(each).resolve()) for each in folders}
    return sorted(each for each in found if not each.startswith(("/usr", "/tmp")))


def end_server(running: Callable[[], int | None]) -> None:
    """End the server that the editor has started; `running` is its process, None without one."""
    process = running()
    if process is None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)
    until = time.monotonic() + LONG
    while running() is not None:
        assert time.monotonic() < until, "the server did not end"
        time.sleep(0.1)


def is_own_python() -> bool:
    """Whether Python lies in a folder of its own, which a chroot can be shown whole."""
    return not sys.base_prefix.startswith("/usr") or sys.base_prefix.startswith("/usr/local")
