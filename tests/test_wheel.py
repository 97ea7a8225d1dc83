"""What is installed from a wheel works without the checkout: paint, serve, plug-ins and away."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from acetate import __version__
from tests.support.wheel_environment import (
    PATIENCE,
    ROOT,
    build_wheel,
    install_wheel,
    python_in,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel, in an oddly named folder."""
    place = tmp_path_factory.mktemp("Jörg Ä") / "acetate env"
    install_wheel(wheel, place)
    return place


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """Variables of somebody with a home of their own."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
    folders = {"HOME": "home", "XDG_DATA_HOME": "data", "XDG_CONFIG_HOME": "config"}
    own = {name: str(tmp_path / "Ünï cödé" / place) for name, place in folders.items()}
    for folder in own.values():
        Path(folder).mkdir(parents=True)
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    return {**kept, **own, "XDG_RUNTIME_DIR": str(runtime), "HF_HUB_OFFLINE": "1"}


def acetate(place: Path, home: dict[str, str], *words: str) -> str:
    command = python_in(place).with_name("acetate.exe" if os.name == "nt" else "acetate")
    done = subprocess.run(
        [str(command), *words], env=home, cwd=home["HOME"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_its_own(installed: Path, home: dict[str, str]) -> None:
    code = "import acetate, acetate_bridge; print(acetate, acetate_bridge)"
    asked = [str(python_in(installed)), "-c", code]
    said = subprocess.run(asked, env=home, cwd=home["HOME"], capture_output=True, text=True).stdout
    assert said.count(installed.name) == 2 and str(ROOT) not in said
    assert acetate(installed, home, "--version") == f"acetate {__version__}\n"


@pytest.mark.exhaustive
def test_it_paints(installed: Path, home: dict[str, str]) -> None:
    words = ("generate", "text", "a red apple", "--steps", "1", "--passes", "1", "-o", "ä ö.png")
    assert "ä ö.png: red apple" in acetate(installed, home, *words)
    assert "a red apple" in acetate(installed, home, "show", "ä ö.png")


def test_it_puts_plug_ins_in_and_takes_them_out(installed: Path, home: dict[str, str]) -> None:
    Path(home["XDG_DATA_HOME"], "krita").mkdir()
    Path(home["XDG_CONFIG_HOME"], "GIMP/3.0").mkdir(parents=True)
    said = acetate(installed, home, "plugins", "install", "all")
    assert "GIMP 3.0: installed" in said and "Krita: installed" in said
    note = Path(home["XDG_DATA_HOME"], "acetate", "installation.json")
    assert str(installed.name) in note.read_text(encoding="utf-8")
    acetate(installed, home, "plugins", "remove", "all")
    assert not list(Path(home["XDG_DATA_HOME"], "krita").rglob("*.py"))


@pytest.mark.skipif(os.name == "nt", reason="the folders of this system; the others are faked")
def test_it_serves_when_an_editor_starts_it(installed: Path, home: dict[str, str]) -> None:
    """*Start*: the plug-in's own code, by the note that was left, in the editor's Python."""
    code = (
        "import sys, time\n"
        "from acetate_bridge.client import Client\n"
        "from acetate_bridge.client.connection_state import Connection\n"
        "client = Client('an-editor', lambda event: None)\n"
        "client.start_server(); client.start()\n"
        f"end = time.monotonic() + {PATIENCE}\n"
        "while time.monotonic() < end and client.state.connection is not Connection.READY:\n"
        "    time.sleep(0.2)\n"
        "print(client.state.message); client.stop()\n"
        "import os, signal\n"
        "from acetate_bridge.client.discovery import read_runtime\n"
        "os.kill(read_runtime().pid, signal.SIGTERM)\n"
    )
    Path(home["XDG_DATA_HOME"], "krita").mkdir()
    acetate(installed, home, "plugins", "install", "krita")
    plugin = Path(home["XDG_DATA_HOME"], "krita/pykrita/acetate_krita/vendored")
    environment = {**home, "PYTHONPATH": str(plugin), "PYTHONHOME": sys.base_prefix}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env=environment, capture_output=True, text=True
    )
    assert done.stdout == f"Connected to acetate {__version__}.\n", done.stdout + done.stderr
    until = time.monotonic() + PATIENCE
    while Path(home["XDG_RUNTIME_DIR"], "acetate/server.json").exists():
        assert time.monotonic() < until
        time.sleep(0.1)
