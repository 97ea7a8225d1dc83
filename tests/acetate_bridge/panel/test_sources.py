"""What becomes of a layer that is repainted: nothing of it is lost, hidden or blended otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from acetate_bridge.editing.editor import Selection
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Image
from tests.acetate_bridge.panel.desk import Desk, lantern, move, shown, solid
from tests.editors.memory_stack import Node

RED = (200, 10, 10, 255)
PART = Rect(10, 10, 30, 30)


@pytest.mark.parametrize("after", ["hide", "replace"])
@pytest.mark.parametrize("seen_through", [(200, 10, 10, 90), RED])
def test_a_layer_that_is_repainted_in_part_gives_way_to_all_of_it(
    tmp_path: Path, after: str, seen_through: tuple[int, int, int, int]
) -> None:
    desk, key = _selected_in_part(tmp_path, after, Selection(PART), solid(64, 64, seen_through))
    for _time in range(2):
        for index in range(2):
            node = shown(desk)
            assert node.bounds == Rect(0, 0, 64, 64) and node.mask is None
            assert node.pixels == _with_part(solid(64, 64, seen_through), lantern(30, 30, index))
            assert (node.opacity, node.blending) == (90, "multiply"), "as its source"
            desk.panel.swap(1 - index)
    if after == "hide":
        assert desk.names() == ["foreground 0", "sketch"]
        assert not desk.editor.node(desk.document, key).visible
    else:
        assert desk.names() == ["sketch"]
    desk.panel.discard()
    assert desk.names() == ["sketch"]
    (node,) = desk.editor.sheet(desk.document).nodes
    assert node.visible and node.pixels == solid(64, 64, seen_through)


def test_where_a_part_is_selected_softly_the_old_and_the_new_are_mixed(tmp_path: Path) -> None:
    soft = bytes(128 if x == 3 else 255 for _y in range(30) for x in range(30))
    clear = solid(64, 64, (200, 10, 10, 0))
    painted = solid(30, 30, (*RED[:3], 240))
    desk, _ = _selected_in_part(tmp_path, "hide", Selection(PART, soft), clear, painted)
    node = shown(desk)
    assert node.mask is None and node.pixels is not None
    row = node.pixels.data[64 * 4 * 20 + 4 * 10 :][: 4 * 30]
    assert [row[4 * x + 3] for x in range(5)] == [240, 240, 240, 120, 240]
    assert {row[4 * x : 4 * x + 3] for x in range(5)} == {bytes(RED[:3])}


@pytest.mark.parametrize("after", ["hide", "replace"])
def test_strokes_beside_the_part_that_is_repainted_are_in_the_result(
    tmp_path: Path, after: str
) -> None:
    desk, key = _selected_in_part(tmp_path, after, Selection(PART), solid(64, 64, RED), come=False)
    node = desk.editor.node(desk.document, key)
    node.pixels = painted = solid(64, 64, (200, 10, 11, 255))
    desk.layer()
    desk.done()
    found = shown(desk).pixels
    assert found == _with_part(painted, lantern(30, 30))
    assert desk.editor.node(desk.document, key).pixels == painted, "which no result replaces"


def test_a_layer_that_was_moved_meanwhile_is_completed_where_it_is(tmp_path: Path) -> None:
    desk, key = _selected_in_part(tmp_path, "hide", Selection(PART), solid(64, 64, RED), come=False)
    move(desk.editor.node(desk.document, key), 7, -2)
    desk.layer()
    desk.done()
    assert shown(desk).bounds == Rect(7, -2, 64, 64)
    assert shown(desk).pixels == _with_part(solid(64, 64, RED), lantern(30, 30))


@pytest.mark.parametrize("after", ["hide", "keep"])
def test_a_part_of_what_no_result_can_hold_stays_and_is_seen(tmp_path: Path, after: str) -> None:
    desk, key = _selected_in_part(tmp_path, after, Selection(PART), solid(64, 64, RED), come=False)
    node = desk.editor.node(desk.document, key)
    if after == "hide":
        desk.panel.cancel()
        node.filters = ("invert",)
        desk.ask("a paper lantern", "refine")
    desk.layer()
    desk.done()
    assert desk.names() == ["foreground 0", "sketch"] and node.visible
    assert shown(desk).bounds == PART
    desk.panel.another_try()
    desk.layer()
    desk.done()
    desk.panel.discard()
    assert desk.editor.node(desk.document, key).visible


def test_a_part_is_painted_anew_within_the_whole(tmp_path: Path) -> None:
    soft = bytes(0 if x == 3 else 255 for _y in range(30) for x in range(30))
    desk, _ = _selected_in_part(tmp_path, "hide", Selection(PART, soft), solid(64, 64, RED))
    before = shown(desk).pixels
    desk.panel.swap(0)
    desk.panel.regenerate()
    assert desk.request.frame is not None and desk.request.frame.region == PART
    desk.layer(image=solid(30, 30, (1, 2, 3, 240)))
    desk.done()
    found = shown(desk).pixels
    assert found is not None and before is not None and shown(desk).bounds == Rect(0, 0, 64, 64)
    row = found.data[64 * 4 * 20 :][: 64 * 4]
    assert {row[4 * x : 4 * x + 4] for x in (0, 9, 13, 40, 63)} == {bytes(RED)}
    assert {row[4 * x : 4 * x + 4] for x in (10, 12, 14, 39)} == {bytes((1, 2, 3, 240))}


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


def _selected_in_part(
    folder: Path,
    after: str,
    selected: Selection,
    sketch: Image,
    painted: Image | None = None,
    come: bool = True,
) -> tuple[Desk, str]:
    """A sketch of which a part is repainted in two variants, and its key."""
    desk = Desk(folder)
    key = desk.paint("sketch", sketch)
    node = desk.editor.node(desk.document, key)
    node.opacity, node.blending = 90, "multiply"
    desk.panel.set_field("after_repaint", after)
    desk.panel.set_field("variants", 2)
    desk.editor.sheet(desk.document).selected = selected
    desk.ask("a paper lantern", "refine")
    for variant in range(2 if come else 0):
        desk.layer(variant, painted)
    if come:
        desk.done()
    return desk, key


def _with_part(sketch: Image, part: Image) -> Image:
    """A sketch of 64 × 64 with another picture in its part."""
    data = bytearray(sketch.data)
    for row in range(PART.height):
        start = ((PART.y + row) * 64 + PART.x) * 4
        data[start : start + PART.width * 4] = part.data[row * PART.width * 4 :][: PART.width * 4]
    return Image(64, 64, bytes(data))


def _repaint(desk: Desk, variants: int = 1) -> None:
    """The active layer repainted, with the first of so many results in the document."""
    desk.panel.set_field("variants", variants)
    desk.ask("a paper lantern", "refine")
    for variant in range(variants):
        desk.layer(variant)
    desk.done()
