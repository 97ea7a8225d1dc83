"""A Krita of each version, where `make editors` has put them, beside the real server.

All files share them, and a version's files run together: a start costs many seconds.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from acetate.plugin_install.archive import build
from tests.app.server_process import RunningServer
from tests.breadth import suites
from tests.editors.caller import Caller
from tests.editors.krita.desk import Desk
from tests.editors.krita.session import SUITES, KritaSession, import_zip, install_plugin
from tests.editors.screen import Screen, missing

STEPS = {"steps": {"embedded": 80}}
"""Enough for a layer, a preview and time to paint meanwhile."""


@pytest.fixture(scope="session", params=suites(SUITES))
def suite(request: pytest.FixtureRequest) -> str:
    """The Debian release whose Krita is tested: 5.2 in trixie, 5.3 in forky."""
    if why := missing(request.param):
        pytest.skip(why)
    return request.param


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A place that the chroots see, too."""
    found = Path(tempfile.mkdtemp(prefix="acetate-krita-"))
    yield found
    shutil.rmtree(found, ignore_errors=True)


@pytest.fixture(scope="session")
def screen(suite: str) -> Iterator[Screen]:
    """A screen that nobody else sees."""
    found = Screen("1280x860x24")
    yield found
    found.close()


@pytest.fixture(scope="module")
def krita(suite: str, screen: Screen, folder: Path) -> Iterator[KritaSession]:
    """Krita with the plug-in as its own importer takes it from the zip; it needs no server.

    It ends with its file, whatever came of that: two of one home are one, and the second leaves.
    """
    home = folder / f"home-{suite}"
    assert import_zip(suite, home, build("krita", folder / "zip")) == "acetate_krita"
    found = KritaSession(suite, home, screen, reach(folder, suite))
    yield found
    found.close()


@pytest.fixture(scope="session")
def server(folder: Path) -> Iterator[RunningServer]:
    """The real server with the embedded model and a file of choices."""
    wildcards = folder / "server" / "wildcards"
    wildcards.mkdir(parents=True)
    (wildcards / "fruits.txt").write_text("apple\npear\n")
    with RunningServer(folder / "server", real=["serve"]) as found:
        yield found


@pytest.fixture(scope="session")
def caller(server: RunningServer, folder: Path) -> Iterator[Caller]:
    """What the plug-in starts the server with."""
    found = Caller(server, folder)
    yield found
    found.close()


@pytest.fixture(scope="session")
def desk(suite: str, screen: Screen, folder: Path, caller: Caller) -> Iterator[Desk]:
    """Krita with the plug-in as `acetate` installs it and its docker open, connected.

    One version is dark and the other is bright.
    """
    environment = {**reach(folder, suite), "ACETATE_COMMAND": str(caller.command)}
    settings = Path(environment["ACETATE_CONFIG_DIR"]) / "panel.json"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(json.dumps(STEPS))
    home = folder / f"home-{suite}"
    install_plugin(home)
    found = KritaSession(suite, home, screen, environment, dark=suite == SUITES[0])
    try:
        yield Desk(found)
    finally:
        found.close()
        assert_quiet(found)


def reach(folder: Path, suite: str) -> dict[str, str]:
    """What lets the plug-in find that server, and keep its settings to itself."""
    return {
        "ACETATE_RUNTIME_DIR": str(folder / "server" / "run"),
        "ACETATE_DATA_DIR": str(folder / "server" / "data"),
        "ACETATE_CONFIG_DIR": str(folder / f"config-{suite}"),
    }


def assert_quiet(krita: KritaSession) -> None:
    """No exception of ours reached Krita, and no complaint."""
    said = krita.said()
    bad = [line for line in said.splitlines() if "Traceback" in line or "acetate" in line.lower()]
    assert not bad, said[-4000:]
