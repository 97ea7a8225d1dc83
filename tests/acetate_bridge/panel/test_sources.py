"""What becomes of a layer that is repainted: nothing of it is lost, hidden or blended otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from acetate_bridge.editing.editor import Selection
from acetate_bridge.protocol.geometry import Rect
from tests.acetate_bridge.panel.desk import Desk, lantern, move, shown, solid
from tests.editors.memory_stack import Node

RED = (200, 10, 10, 255)
_ALMOST = bytes(255 if (x, y) != (9, 9) else 254 for y in range(64) for x in range(64))


@pytest.mark.parametrize("after", ["hide", "replace"])
@pytest.mark.parametrize(
    "selected",
    [Selection(Rect(10, 10, 30, 30)), Selection(Rect(0, 0, 64, 64), _ALMOST)],
    ids=["a part", "softly"],
)
def test_a_layer_that_is_repainted_in_part_stays_and_is_seen(
    tmp_path: Path, after: str, selected: Selection
) -> None:
    desk = Desk(tmp_path)
    key = desk.paint("sketch", solid(64, 64, RED))
    desk.panel.set_field("after_repaint", after)
    desk.editor.sheet(desk.document).selected = selected
    _repaint(desk)
    assert desk.names() == ["foreground 0", "sketch"]
    node = desk.editor.node(desk.document, key)
    assert node.visible and node.pixels == solid(64, 64, RED)
    desk.panel.another_try()
    desk.layer()
    desk.done()
    assert desk.editor.node(desk.document, key).visible
    desk.panel.discard()
    assert desk.editor.node(desk.document, key).visible


def test_a_layer_that_is_selected_whole_is_hidden_as_without_a_selection(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    key = desk.paint("sketch", solid(40, 40, RED), 10, 10)
    whole = Selection(Rect(0, 0, 64, 64), bytes(64 * 10) + bytes((255,)) * 64 * 54)
    desk.editor.sheet(desk.document).selected = whole
    _repaint(desk)
    assert not desk.editor.node(desk.document, key).visible


def test_a_repainting_is_blended_as_its_hidden_source_each_variant_of_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    node = desk.editor.node(desk.document, desk.paint("shade", solid(64, 64, RED)))
    node.opacity, node.blending, node.clipped = 90, "multiply", True
    _repaint(desk, variants=2)
    desk.panel.keep(0)
    desk.panel.swap(1)
    assert desk.names() == ["foreground 1", "foreground 0", "shade"]
    for each in desk.editor.sheet(desk.document).nodes:
        assert (each.opacity, each.blending, each.clipped) == (90, "multiply", True)


def test_the_source_stays_hidden_behind_a_result_that_is_kept(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    key = desk.paint("sketch", solid(64, 64, RED))
    _repaint(desk, variants=2)
    desk.panel.keep(0)
    desk.panel.swap(1)
    desk.panel.discard()
    assert desk.names() == ["foreground 0", "sketch"]
    assert not desk.editor.node(desk.document, key).visible


def test_the_source_is_seen_again_when_the_kept_result_is_gone(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    key = desk.paint("sketch", solid(64, 64, RED))
    _repaint(desk, variants=2)
    kept = shown(desk).key
    desk.panel.keep(0)
    desk.panel.swap(1)
    desk.editor.remove(desk.document, [kept])
    desk.panel.discard()
    assert desk.names() == ["sketch"] and desk.editor.node(desk.document, key).visible


def test_strokes_that_were_painted_meanwhile_are_not_replaced(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    key = desk.paint("sketch", solid(64, 64, RED))
    desk.panel.set_field("after_repaint", "replace")
    desk.ask("a paper lantern", "refine")
    node = desk.editor.node(desk.document, key)
    move(node, 5, 5)
    node.pixels = painted = solid(64, 64, (200, 10, 11, 255))
    desk.layer()
    desk.done()
    assert desk.names() == ["foreground 0", "sketch"] and not node.visible
    assert desk.editor.node(desk.document, key).pixels == painted
    desk.panel.discard()
    assert desk.names() == ["sketch"] and desk.editor.node(desk.document, key).visible


def test_a_layer_that_was_only_moved_meanwhile_is_replaced_where_it_is(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    key = desk.paint("sketch", solid(64, 64, RED))
    desk.panel.set_field("after_repaint", "replace")
    desk.ask("a paper lantern", "refine")
    move(desk.editor.node(desk.document, key), 5, 5)
    desk.layer()
    desk.done()
    assert desk.names() == ["sketch"] and shown(desk).bounds == Rect(5, 5, 64, 64)


def test_strokes_on_a_layer_that_is_painted_anew_are_not_replaced(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ask()
    desk.layer()
    desk.done()
    desk.panel.swap(0)
    desk.panel.regenerate()
    key, painted = shown(desk).key, solid(160, 120, RED)
    shown(desk).pixels = painted
    desk.layer(image=lantern(160, 120, 3))
    desk.done()
    assert desk.editor.node(desk.document, key).pixels == painted
    assert not desk.editor.node(desk.document, key).visible and len(desk.names()) == 2


def test_a_group_is_hidden_where_a_layer_would_be_replaced(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    group = desk.editor.add(desk.document, Node("", "figures", Rect(0, 0, 64, 64), children=[]))
    sheet = Node("", "body", Rect(0, 0, 64, 64), solid(64, 64, RED))
    desk.editor.add(desk.document, sheet, group)
    desk.editor.choose(desk.document, group)
    desk.panel.set_field("after_repaint", "replace")
    desk.panel.set_mode("refine")
    desk.panel.refresh()
    said = "“figures” is no layer of pixels: it is hidden, not replaced."
    assert desk.view.sentence.endswith(said), "before it is asked for"
    desk.panel.set_field("language", "de")
    assert desk.view.sentence.endswith(": Die Ebene wird ausgeblendet, nicht ersetzt.")
    desk.panel.set_field("language", "en")
    _repaint(desk)
    assert desk.names() == ["foreground 0", "figures", "body"]
    assert not desk.editor.node(desk.document, group).visible


def test_a_layer_that_a_clone_shows_is_hidden_where_it_would_be_replaced(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    key = desk.paint("body", solid(64, 64, RED))
    desk.editor.node(desk.document, key).shown_by = "clone"
    desk.panel.set_mode("refine")
    desk.panel.refresh()
    assert "clone" not in desk.view.sentence, "as it is hidden anyway"
    desk.panel.set_field("after_repaint", "replace")
    said = "“clone” is a clone of “body”, which is hidden, not replaced."
    assert desk.view.sentence.endswith(said)
    _repaint(desk)
    assert desk.names() == ["foreground 0", "body"]
    assert not desk.editor.node(desk.document, key).visible


def test_a_layer_that_a_clone_shows_is_not_painted_anew_for_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ask()
    desk.layer()
    desk.done()
    desk.panel.swap(0)
    shown(desk).shown_by = "clone"
    asked = len(desk.link.requests)
    desk.panel.regenerate()
    assert len(desk.link.requests) == asked
    said = f"“clone” is a clone of “{shown(desk).name}”, which has to stay for it."
    assert desk.view.status.sentence == said


def _repaint(desk: Desk, variants: int = 1) -> None:
    """The active layer repainted, with the first of so many results in the document."""
    desk.panel.set_field("variants", variants)
    desk.ask("a paper lantern", "refine")
    for variant in range(variants):
        desk.layer(variant)
    desk.done()
