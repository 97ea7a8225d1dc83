"""The live preview under a real hand: seen in the panel, and nothing of it in the image."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.server_process import RunningServer
from tests.editors.gimp.conftest import assert_no_fault, assert_quiet
from tests.editors.gimp.desk import Desk
from tests.editors.gimp.session import Gimp
from tests.editors.screen import Screen

pytestmark = pytest.mark.slow

_FEW_STEPS = {"steps": {"embedded": 4}}
_LOOK = """
from tests.editors.gimp.fingerprint import fingerprint
answer = repr((fingerprint(image), image.is_dirty(), len(Gimp.get_images())))
"""


@pytest.fixture(scope="module")
def desk(
    suite: str, screen: Screen, folder: Path, reach: dict[str, str], server: RunningServer
) -> Iterator[Desk]:
    settings = folder / f"live-config-{suite}"
    settings.mkdir()
    (settings / "panel.json").write_text(json.dumps(_FEW_STEPS))
    environment = {**reach, "ACETATE_CONFIG_DIR": str(settings)}
    environment["ACETATE_COMMAND"] = str(folder / "no-such")
    gimp = Gimp(suite, folder / f"live-{suite}", screen, environment, "dark")
    try:
        yield Desk(gimp, screen)
    finally:
        gimp.close()
        assert_quiet(gimp)
        assert_no_fault(reach)


def switch(desk: Desk, on: bool) -> None:
    desk.in_panel("alt+l")
    desk.wait(lambda: desk.panel()["live"] is on)


def test_a_preview_is_seen_in_the_panel_and_the_image_does_not_notice(desk: Desk) -> None:
    desk.write("a red apple")
    desk.wait(lambda: desk.panel()["plan"])
    before = desk.gimp.run(_LOOK)
    switch(desk, True)
    desk.wait(lambda: desk.panel()["in_place"])
    desk.picture("live")
    assert desk.gimp.run(_LOOK) == before and desk.names() == ["Paper"]
    switch(desk, False)
    desk.wait(lambda: not desk.panel()["in_place"])
    assert desk.gimp.run(_LOOK) == before


def test_a_stroke_takes_the_preview_away_and_another_comes(desk: Desk) -> None:
    def another(than: str) -> str:
        return desk.wait(lambda: (job := desk.panel()["in_place"]) != than and job)

    switch(desk, True)
    first = another("")
    desk.stroke()
    # GIMP counts an image as changed when a stroke has ended.
    desk.wait(lambda: desk.gimp.run("answer = image.is_dirty()") and desk.dark_pixels() > 500)
    drawn = desk.gimp.run(_LOOK)
    second = another(first)
    assert desk.gimp.run(_LOOK) == drawn and desk.names() == ["Paper"]
    desk.in_image("ctrl+z")
    desk.wait(lambda: desk.dark_pixels() == 0)
    another(second)
    assert desk.names() == ["Paper"]
    switch(desk, False)


def test_it_ends_with_its_image(desk: Desk) -> None:
    switch(desk, True)
    desk.wait(lambda: desk.panel()["in_place"])
    desk.close_image()
    desk.wait(lambda: not desk.panel()["in_place"])
    desk.new_image()
    switch(desk, False)
    desk.close_panel()
