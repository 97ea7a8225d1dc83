"""*Start* in Krita by somebody who has done what the README says, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.editors.installed import (
    end_server,
    install_by_command,
    installation,
    is_own_python,
    wheel_environment,
)
from tests.editors.krita.conftest import assert_quiet
from tests.editors.krita.desk import Desk
from tests.editors.krita.session import KritaSession, resources_of
from tests.editors.screen import Screen

pytestmark = [
    pytest.mark.slow,
    pytest.mark.exhaustive,
    pytest.mark.skipif(not is_own_python(), reason="the system's Python is not in the chroots"),
]


def test_start_starts_a_server_that_nothing_but_the_installation_knows(
    suite: str, screen: Screen, folder: Path
) -> None:
    home = folder / f"Jörg Ä {suite}"
    resources_of(home).mkdir(parents=True)
    assert "Krita: installed" in install_by_command("krita", home, wheel_environment(folder))
    assert (resources_of(home) / "pykrita" / "acetate_krita.desktop").is_file()
    assert "enable_acetate_krita=true" in (home / ".config" / "kritarc").read_text()
    krita = KritaSession(suite, home, screen, binds=installation())
    try:
        desk = Desk(krita)
        desk.wait(lambda: desk.view()["button"] == "Start")
        assert desk.view()["status"] == "The server is not running."
        desk.click("panel().status.button")
        desk.ready()
        desk.write("a red apple")
        desk.generate()
        desk.wait(lambda: desk.names() == ["red apple", "Background"])
    finally:
        krita.run("from acetate_bridge.client.discovery import read_runtime")
        end_server(lambda: krita.run("answer = (found := read_runtime()) and found.pid"))
        krita.close()
    assert_quiet(krita)
