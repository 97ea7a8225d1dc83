"""Every mode of the docker's menu in the real Krita, with the model that ships.

Krita 5.2 walks through all of them, and 5.3 through `FEW`: painting takes its time.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.editors.krita.desk import Desk
from tests.editors.mode_cases import CASES, FEW, MODES

pytestmark = [pytest.mark.slow, pytest.mark.matrix]

_BEGIN = """
from tests.editors import every_mode
from tests.editors.krita.host import KritaHost

close_documents()
host, walked = KritaHost(), panel()._actions
host.editor = panel()._studio.editor

def main():
    global answer
    for _ in every_mode.ready(walked):
        yield 0.02
    answer = [each.name for each in walked.view.modes if each.available]
"""
_WALK = """
def main():
    for _ in every_mode.walk(host, walked, {name!r}):
        yield 0.02
"""


@pytest.fixture(scope="module")
def offered(desk: Desk) -> Iterator[list[str]]:
    """The docker at work, and the modes that it has."""
    desk.fresh()
    with desk.settings_kept():
        yield desk.krita.run(_BEGIN)
    desk.fresh()


def test_every_mode_that_the_menu_offers_is_walked_through(offered: list[str]) -> None:
    assert set(offered) == MODES


@pytest.mark.exhaustive
@pytest.mark.parametrize("suite", ["trixie"], indirect=True, scope="session")
@pytest.mark.parametrize("name", CASES)
def test_the_layers_of_every_mode_are_put_in_place(
    desk: Desk, offered: list[str], name: str
) -> None:
    desk.krita.run(_WALK.format(name=name))


@pytest.mark.parametrize("suite", ["forky"], indirect=True, scope="session")
@pytest.mark.parametrize("name", FEW)
def test_the_layers_of_a_few_modes_are_put_in_place(
    desk: Desk, offered: list[str], name: str
) -> None:
    desk.krita.run(_WALK.format(name=name))
