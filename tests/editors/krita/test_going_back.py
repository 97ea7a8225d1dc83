"""Ctrl+Z where a painter expects it to undo what they did last."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.editors.krita.desk import Desk

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]


@pytest.fixture
def painted(desk: Desk) -> Iterator[Desk]:
    """A sheet with a layer above it."""
    desk.fresh()
    with desk.settings_kept():
        desk.krita.run("panel()._actions.set_mode('text')")
        desk.write("a red apple")
        desk.generate()
        desk.wait(lambda: desk.names() == ["red apple", "Background"])
        desk.ready()
        yield desk
    desk.fresh()


def test_what_was_typed_is_back_after_a_click_on_the_history(painted: Desk) -> None:
    painted.write("typed by hand")
    for focused in ("panel().history.buttons[0]", "panel().prompts.text"):
        painted.click("panel().history.buttons[0]")
        painted.wait(lambda: painted.view()["prompt"] == "a red apple")
        painted.krita.run(f"{focused}.setFocus()")
        painted.wait(lambda: painted.ask("QtWidgets.QApplication.focusWidget() is not None"))
        painted.screen.key("ctrl+z")
        painted.wait(lambda: painted.view()["prompt"] == "typed by hand")
        assert painted.names() == ["red apple", "Background"], "the document is as it was"


def test_the_strip_shows_again_what_was_discarded_and_is_back(painted: Desk) -> None:
    painted.click("panel().discard")
    painted.wait(lambda: painted.names() == ["Background"] and painted.view()["results"] == [])
    painted.undo()
    painted.wait(lambda: painted.names() == ["red apple", "Background"])
    painted.wait(lambda: painted.view()["results"] == [True])


def test_what_is_discarded_and_back_before_anybody_looked_is_in_the_strip_again(
    painted: Desk,
) -> None:
    painted.krita.run(
        "panel()._studio._look()\n"
        "panel().discard.click()\n"
        "Krita.instance().action('edit_undo').trigger()"
    )
    painted.wait(lambda: painted.names() == ["red apple", "Background"])
    painted.wait(lambda: painted.view()["results"] == [True])
