"""*Start* in GIMP by somebody who has done what the README says, and nothing else."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.editors.gimp.conftest import assert_quiet
from tests.editors.gimp.desk import Desk
from tests.editors.gimp.session import VERSIONS, Gimp
from tests.editors.installed import (
    end_server,
    install_by_command,
    installation,
    is_own_python,
    wheel_environment,
)
from tests.editors.screen import Screen

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not is_own_python(), reason="the system's Python is not in the chroots"),
]


def pressed(desk: Desk) -> bool:
    """Whether *Start* was taken; a key that comes before GTK has drawn the button is lost.

    The card and the last line both have the button, so its letter chooses, and Space presses.
    """
    if desk.panel()["button"] == "Start":
        desk.in_panel("alt+s", "space")
        time.sleep(1)
    return desk.panel()["button"] != "Start"


def test_start_starts_a_server_that_nothing_but_the_installation_knows(
    suite: str, screen: Screen, folder: Path
) -> None:
    home = folder / f"Jörg Ä {suite}"
    settings = home / ".config" / "GIMP" / VERSIONS[suite]
    settings.mkdir(parents=True)
    assert f"GIMP {VERSIONS[suite]}: installed" in install_by_command(
        "gimp", home, wheel_environment(folder)
    )
    assert (settings / "plug-ins" / "acetate_gimp" / "acetate_gimp.py").is_file()
    gimp = Gimp(suite, home, screen, binds=installation())
    try:
        desk = Desk(gimp, screen, says="The server is not running.")
        assert desk.panel()["button"] == "Start"
        desk.wait(lambda: pressed(desk))
        desk.wait_for("Ready")
        # The button that had the keyboard is gone; a panel that opens gives it to the prompt.
        desk.close_panel()
        desk.open_panel()
        desk.wait_for("Ready")
        desk.write("a red apple")
        desk.generate()
        desk.wait(lambda: desk.names() == ["red apple", "Paper"])
    finally:
        gimp.run("from acetate_bridge.client.discovery import read_runtime")
        end_server(lambda: gimp.run("answer = (found := read_runtime()) and found.pid"))
        gimp.close()
    assert_quiet(gimp)
