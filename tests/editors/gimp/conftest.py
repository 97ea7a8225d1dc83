"""GIMP of each version, where `make editors` has put them, beside the real server."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from acetate_bridge.client.private_folders import write_private
from tests.app.server_process import RunningServer
from tests.breadth import suites
from tests.editors.gimp.looking import Looking
from tests.editors.gimp.session import VERSIONS, Gimp
from tests.editors.screen import Screen, missing

Script = Callable[[str], Any]


@pytest.fixture(scope="session", params=suites(list(VERSIONS)))
def suite(request: pytest.FixtureRequest) -> str:
    """The Debian release whose GIMP is tested: 3.0 in trixie, 3.2 in forky."""
    if why := missing(request.param):
        pytest.skip(why)
    return request.param


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A place that the chroots see, too."""
    found = Path(tempfile.mkdtemp(prefix="acetate-gimp-"))
    yield found
    shutil.rmtree(found, ignore_errors=True)


@pytest.fixture(scope="module")
def looking(folder: Path, suite: str) -> Looking:
    """Eyes in the process of the panel of one GIMP, each file's in a place of its own."""
    return Looking(Path(tempfile.mkdtemp(prefix=f"looking-{suite}-", dir=folder)) / "eyes")


@pytest.fixture(scope="session")
def server(folder: Path) -> Iterator[RunningServer]:
    """The real server with the embedded model and a file of choices."""
    wildcards = folder / "server" / "wildcards"
    wildcards.mkdir(parents=True)
    (wildcards / "fruits.txt").write_text("apple\npear\n")
    with RunningServer(folder / "server", real=["serve"]) as found:
        yield found


@pytest.fixture(scope="session")
def echo_server(folder: Path) -> Iterator[RunningServer]:
    """A server that can do every mode and gives back what it is sent; see `answering`."""
    painter = "tests.editors.echo_painter:open_echo"
    with RunningServer(folder / "echo", painter) as found:
        yield found


@contextlib.contextmanager
def answering(server: RunningServer, reach: dict[str, str], **differing: object) -> Iterator[None]:
    """Let plug-ins that look for a server meanwhile find this one, or a word that differs."""
    file = Path(reach["ACETATE_RUNTIME_DIR"]) / "server.json"
    right = file.read_text() if file.exists() else None
    write_private(file, json.dumps({**asdict(server.runtime), **differing}))
    try:
        yield
    finally:
        write_private(file, right) if right is not None else file.unlink()


@pytest.fixture(scope="session")
def reach(folder: Path) -> dict[str, str]:
    """What lets a plug-in find that server, and keep its settings to itself."""
    return {
        "ACETATE_RUNTIME_DIR": str(folder / "server" / "run"),
        "ACETATE_DATA_DIR": str(folder / "server" / "data"),
        "ACETATE_CONFIG_DIR": str(folder / "config"),
    }


@pytest.fixture(scope="session")
def console(
    suite: str, folder: Path, server: RunningServer, reach: dict[str, str]
) -> Iterator[Gimp]:
    """GIMP without a window, and without a way to start a server."""
    home = folder / f"console-{suite}"
    found = Gimp(suite, home, environment={**reach, "ACETATE_COMMAND": str(folder / "no-such")})
    yield found
    found.close()
    assert_quiet(found)
    assert_no_fault(reach)


@pytest.fixture(scope="session")
def script(console: Gimp) -> Script:
    """Runs code inside GIMP that has `scripting` at hand."""
    console.run("from tests.editors.gimp.scripting import *")
    return console.run


@pytest.fixture(scope="session")
def screen(suite: str) -> Iterator[Screen]:
    """A screen that nobody else sees."""
    found = Screen()
    yield found
    found.close()


def assert_quiet(gimp: Gimp) -> None:
    """Nothing of ours went to the console but the sentences that a script is told.

    GIMP may call a pipe broken when a plug-in, any plug-in, has ended: that is its own.
    """
    lines = [line for line in gimp.said().splitlines() if "error: Broken pipe" not in line]
    complaints = ("CRITICAL", "WARNING", "Warning", "assertion")
    bad = [
        line
        for line in lines
        if "Traceback" in line or ("acetate" in line and any(word in line for word in complaints))
    ]
    assert not bad, "\n".join(lines[-60:])


def assert_no_fault(reach: dict[str, str]) -> None:
    """Nothing went wrong behind the sentences, where a log tells of it and nobody else."""
    log = Path(reach["ACETATE_DATA_DIR"]) / "logs" / "gimp.log"
    said = log.read_text(encoding="utf-8") if log.exists() else ""
    assert "Traceback" not in said, said[-4000:]
