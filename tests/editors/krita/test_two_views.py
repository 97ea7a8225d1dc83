"""Views of documents in the tabs of a window, and layers that go while another one is in front.

The memory that Krita frees is overwritten at once here, so that it crashes wherever it uses that
still, and not only now and then.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.editors.caller import Caller
from tests.editors.krita.conftest import STEPS, assert_quiet, reach
from tests.editors.krita.desk import Desk
from tests.editors.krita.session import KritaSession, install_plugin
from tests.editors.screen import Screen

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]

_TABS = """
def tab():
    return Krita.instance().activeWindow().activeView()

def next_tab():
    main = Krita.instance().activeWindow().qwindow()
    main.centralWidget().findChild(QtWidgets.QMdiArea).activateNextSubWindow()

def active():
    nodes = tab().selectedNodes()
    return nodes[0].name() if len(nodes) == 1 else ""
"""


@pytest.fixture(scope="module")
def strict(suite: str, screen: Screen, folder: Path, caller: Caller) -> Iterator[Desk]:
    """Krita with the docker open, connected, in which freed memory is overwritten."""
    environment = {
        **reach(folder, suite),
        "ACETATE_CONFIG_DIR": str(folder / f"config-strict-{suite}"),
        "ACETATE_COMMAND": str(caller.command),
        "MALLOC_PERTURB_": "165",
    }
    settings = Path(environment["ACETATE_CONFIG_DIR"]) / "panel.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({**STEPS, "steps": {"embedded": 4}}))
    home = folder / f"home-strict-{suite}"
    install_plugin(home)
    found = KritaSession(suite, home, screen, environment)
    try:
        desk = Desk(found)
        desk.krita.run(_TABS)
        yield desk
    finally:
        found.close()
    assert_quiet(found)


@pytest.fixture
def tabs(strict: Desk) -> Desk:
    """A sheet in two tabs, of which the second is in front."""
    strict.fresh()
    strict.krita.run("Krita.instance().activeWindow().addView(document)")
    strict.wait(lambda: strict.ask("len(Krita.instance().activeWindow().views())") == 2)
    strict.wait(lambda: strict.ask("settled() and active() == 'Background'"))
    strict.ready()
    return strict


def test_layers_of_the_painters_own_are_undone_in_one_view_and_done_again_in_the_other(
    tabs: Desk,
) -> None:
    for count in (2, 3):
        tabs.on_canvas("Insert")
        tabs.wait(lambda: len(tabs.names()) == count)  # noqa: B023 (asked for at once)
    turn(tabs)
    for count in (2, 1):
        tabs.undo()
        tabs.wait(lambda: len(tabs.names()) == count)  # noqa: B023 (asked for at once)
    turn(tabs)
    for count in (2, 3):
        tabs.redo()
        tabs.wait(lambda: len(tabs.names()) == count)  # noqa: B023 (asked for at once)


def test_results_are_undone_and_done_again_in_either_view(tabs: Desk) -> None:
    for prompt in ("a red apple", "a green leaf", "a yellow lemon"):
        before = tabs.names()
        after = paint(tabs, prompt)
        # The hand goes on there in this view, too.
        tabs.wait(lambda: tabs.ask("active()") == "Background")
        turn(tabs)
        undo_and_redo(tabs, before, after)


def test_what_is_active_in_the_view_in_front_counts(tabs: Desk) -> None:
    paint(tabs, "a red apple")
    choose(tabs, "red apple")
    turn(tabs)
    choose(tabs, "Background")
    turn(tabs)
    tabs.wait(lambda: tabs.ask("active()") == "red apple")
    looked = "(key := panel()._studio.editor.active_document().key) and "
    looked += "panel()._studio.editor.active_layer(key).name"
    assert tabs.ask(looked) == "red apple"
    after = paint(tabs, "a green leaf")
    assert after == ["green leaf", "red apple", "Background"]
    tabs.wait(lambda: tabs.ask("active()") == "red apple")


def test_a_layer_is_painted_anew_while_another_document_is_in_front(strict: Desk) -> None:
    strict.fresh()
    paint(strict, "a red apple")
    choose(strict, "red apple")
    strict.krita.run("first, old = document, node('red apple').uniqueId()")
    strict.krita.run("document = new_document(160, 120)")
    strict.wait(lambda: strict.names() == ["Background"])
    strict.on_canvas("Insert")
    strict.wait(lambda: len(strict.names()) == 2)
    turn(strict)
    strict.wait(lambda: strict.ask("active()") == "red apple")
    strict.krita.run("Krita.instance().action('acetate_regenerate').trigger()")
    turn(strict)
    strict.wait(lambda: strict.ask("first.nodeByUniqueID(old) is None"))
    # What Krita freed last it takes first again: something else than the layer that has gone.
    strict.undo()
    strict.wait(lambda: strict.names() == ["Background"])
    turn(strict)
    strict.on_canvas("Insert")
    strict.wait(lambda: len(strict.names()) == 3)


def turn(desk: Desk) -> None:
    """Go to the other tab."""
    desk.krita.run("left = tab()\nnext_tab()")
    desk.wait(lambda: desk.ask("tab() != left and settled()"))


def choose(desk: Desk, layer: str) -> None:
    """Work on a layer in the tab that is in front."""
    desk.wait(lambda: desk.ask("panel()._studio.editor.settled"))
    desk.krita.run(f"document.setActiveNode(node({layer!r}))")
    desk.wait(lambda: desk.ask("active()") == layer)


def paint(desk: Desk, prompt: str) -> list[str]:
    """Ask for a layer; returns what is in the stack when nothing is left to be done about it."""
    before = desk.names()
    desk.write(prompt)
    desk.generate()
    desk.wait(lambda: len(desk.names()) == len(before) + 1)
    desk.ready()
    desk.wait(lambda: desk.ask("panel()._studio.editor.settled"))
    return desk.names()


def undo_and_redo(desk: Desk, before: list[str], after: list[str]) -> None:
    """One step back and forth."""
    desk.undo()
    desk.wait(lambda: desk.names() == before)
    desk.redo()
    desk.wait(lambda: desk.names() == after)
    desk.wait(lambda: desk.ask("panel()._studio.editor.settled"))
