"""GIMP of each version, where `make editors` has put them, beside the real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.server_process import RunningServer
from tests.editors.gimp.session import VERSIONS, Gimp
from tests.editors.screen import Screen, missing


@pytest.fixture(scope="module", params=list(VERSIONS))
def suite(request: pytest.FixtureRequest) -> str:
    """The Debian release whose GIMP is tested: 3.0 in trixie, 3.2 in forky."""
    if why := missing(request.param):
        pytest.skip(why)
    return request.param


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A place that the chroots see, too."""
    import shutil
    import tempfile

    found = Path(tempfile.mkdtemp(prefix="acetate-gimp-"))
    yield found
    shutil.rmtree(found, ignore_errors=True)


@pytest.fixture(scope="session")
def server(folder: Path) -> Iterator[RunningServer]:
    """The real server with the embedded model."""
    with RunningServer(folder / "server", real=["serve"]) as found:
        yield found


@pytest.fixture(scope="session")
def reach(folder: Path) -> dict[str, str]:
    """What lets a plug-in find that server, and keep its settings to itself."""
    return {
        "ACETATE_RUNTIME_DIR": str(folder / "server" / "run"),
        "ACETATE_DATA_DIR": str(folder / "server" / "data"),
        "ACETATE_CONFIG_DIR": str(folder / "config"),
    }


@pytest.fixture(scope="module")
def console(
    suite: str, folder: Path, server: RunningServer, reach: dict[str, str]
) -> Iterator[Gimp]:
    """GIMP without a window."""
    home = folder / f"console-{suite}"
    found = Gimp(suite, home, environment=reach)
    yield found
    found.close()
    assert_quiet(found)


@pytest.fixture(scope="module")
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
