"""A Krita of each version, where `make editors` has put them, beside the real server."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.server_process import RunningServer
from tests.editors.caller import Caller
from tests.editors.krita.desk import Desk
from tests.editors.krita.session import SUITES, KritaSession
from tests.editors.screen import Screen, missing

FEW_STEPS = {"steps": {"embedded": 8}}
"""Enough for a layer, a preview and time to paint meanwhile."""


@pytest.fixture(scope="module", params=SUITES)
def suite(request: pytest.FixtureRequest) -> str:
    """The Debian release whose Krita is tested: 5.2 in trixie, 5.3 in forky."""
    if why := missing(request.param):
        pytest.skip(why)
    return request.param


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A place that the chroots see, too."""
    found = Path(tempfile.mkdtemp(prefix="acetate-krita-"))
    yield found
    shutil.rmtree(found, ignore_errors=True)


@pytest.fixture(scope="module")
def screen(suite: str) -> Iterator[Screen]:
    """A screen that nobody else sees."""
    found = Screen("1280x860x24")
    yield found
    found.close()


@pytest.fixture(scope="module")
def krita(suite: str, screen: Screen, folder: Path) -> Iterator[KritaSession]:
    """Krita without a server: what is asked of it needs none."""
    found = KritaSession(suite, folder / f"home-{suite}", screen, reach(folder))
    yield found
    found.close()


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[RunningServer]:
    """The real server with the embedded model."""
    with RunningServer(folder / "server", real=["serve"]) as found:
        yield found


@pytest.fixture(scope="module")
def caller(server: RunningServer, folder: Path) -> Iterator[Caller]:
    """What the plug-in starts the server with."""
    found = Caller(server, folder)
    yield found
    found.close()


@pytest.fixture(scope="module")
def desk(suite: str, screen: Screen, folder: Path, caller: Caller) -> Iterator[Desk]:
    """Krita with an open docker, connected to the server."""
    environment = {**reach(folder), "ACETATE_COMMAND": str(caller.command)}
    settings = folder / "config" / "panel.json"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(json.dumps(FEW_STEPS))
    dark = suite == SUITES[0]
    found = KritaSession(suite, folder / f"painter-{suite}", screen, environment, dark)
    try:
        yield Desk(found)
    finally:
        found.close()
        assert_quiet(found)


def reach(folder: Path) -> dict[str, str]:
    """What lets the plug-in find that server, and keep its settings to itself."""
    return {
        "ACETATE_RUNTIME_DIR": str(folder / "server" / "run"),
        "ACETATE_DATA_DIR": str(folder / "server" / "data"),
        "ACETATE_CONFIG_DIR": str(folder / "config"),
    }


def assert_quiet(krita: KritaSession) -> None:
    """No exception of ours reached Krita, and no complaint."""
    said = krita.said()
    bad = [line for line in said.splitlines() if "Traceback" in line or "acetate" in line.lower()]
    assert not bad, said[-4000:]
