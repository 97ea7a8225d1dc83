"""Every mode of the panel's menu in the real GIMP, with the model that ships.

GIMP 3.2 walks through all of them, and 3.0 through `FEW`: painting takes its time.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.editors.gimp.conftest import Script
from tests.editors.mode_cases import CASES, FEW, MODES

pytestmark = [pytest.mark.slow, pytest.mark.matrix]

_BEGIN = """
from pathlib import Path
from acetate_bridge.panel.controller import Controller
from tests.editors import every_mode
from tests.editors.gimp.host import GimpHost

host = GimpHost(ask)
walked = Controller(host.editor, Path({folder!r}) / "panel.json", lambda view: None)
walked.start()
for _ in every_mode.ready(walked):
    host.settle()
answer = [each.name for each in walked.view.modes if each.available]
"""
_WALK = """
for _ in every_mode.walk(host, walked, {name!r}):
    host.settle()
"""


@pytest.fixture(scope="module")
def offered(script: Script, folder: Path, suite: str) -> Iterator[list[str]]:
    """A panel at work, and the modes that it has."""
    yield script(_BEGIN.format(folder=str(folder / f"walk-{suite}")))
    script("walked.stop()")


def test_every_mode_that_the_menu_offers_is_walked_through(offered: list[str]) -> None:
    assert set(offered) == MODES


@pytest.mark.parametrize("suite", ["forky"], indirect=True, scope="session")
@pytest.mark.parametrize("name", CASES)
def test_the_layers_of_every_mode_are_put_in_place(
    script: Script, offered: list[str], name: str
) -> None:
    script(_WALK.format(name=name))


@pytest.mark.exhaustive
@pytest.mark.parametrize("suite", ["trixie"], indirect=True, scope="session")
@pytest.mark.parametrize("name", FEW)
def test_the_layers_of_a_few_modes_are_put_in_place(
    script: Script, offered: list[str], name: str
) -> None:
    script(_WALK.format(name=name))
