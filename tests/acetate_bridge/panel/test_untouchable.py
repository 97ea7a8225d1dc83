"""Nothing of the painter's is lost, moved or disturbed, whatever is done with the results."""

from __future__ import annotations

from pathlib import Path

import pytest

from acetate_bridge.editing.editor import Selection
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Role
from tests.acetate_bridge.panel.desk import Desk, lantern, move, shown, solid
from tests.editors.memory_stack import Node

RED, BLUE = (200, 10, 10, 255), (10, 10, 200, 255)


def variants(desk: Desk, count: int = 2, mode: str = "text") -> str:
    """A job with so many results, the first of them in the document; returns its layer's key."""
    desk.panel.set_field("variants", count)
    before = {each.key for each in desk.editor.layers(desk.document)}
    desk.ask("a paper lantern", mode)
    for variant in range(count):
        desk.layer(variant)
    desk.done()
    after = [each.key for each in desk.editor.layers(desk.document) if not each.group]
    return next(key for key in after if key not in before)


def test_the_active_layer_stays_and_a_click_on_the_strip_selects_the_result(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    own = desk.paint("sketch", lantern(20, 20))
    key = variants(desk)
    assert desk.editor.sheet(desk.document).active == own
    desk.panel.swap(1)
    assert desk.editor.sheet(desk.document).active == own
    desk.panel.swap(1)
    assert desk.editor.sheet(desk.document).active != own
    assert desk.editor.sheet(desk.document).active != key


def test_a_swap_keeps_all_that_the_painter_did_to_the_layer(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    variants(desk)
    node = shown(desk)
    mask = Selection(Rect(0, 0, 160, 120), bytes(range(160)) * 120)
    node.name, node.opacity, node.blending, node.label = "my lantern", 99, "multiply", 3
    node.visible, node.clipped, node.filters, node.mask = False, True, ("invert",), mask
    desk.panel.swap(1)
    new = shown(desk)
    assert new.key != node.key and new.pixels != node.pixels
    for name in ("name", "opacity", "blending", "label", "visible", "clipped", "filters", "mask"):
        assert getattr(new, name) == getattr(node, name), name


def test_a_name_that_the_painter_gave_stays_through_many_swaps(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    variants(desk)
    shown(desk).name = "my lantern"
    for index in (1, 0, 1):
        desk.panel.swap(index)
        assert shown(desk).name == "my lantern"


def test_strokes_on_a_result_are_there_again_after_swapping_back(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    variants(desk)
    node = shown(desk)
    node.pixels = painted = solid(160, 120, RED)
    desk.panel.swap(1)
    assert shown(desk).pixels != painted
    desk.panel.swap(0)
    assert shown(desk).pixels == painted


def test_a_result_is_swapped_where_the_painter_has_moved_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    variants(desk)
    move(shown(desk), 7, -5)
    desk.panel.swap(1)
    assert shown(desk).bounds == Rect(7, -5, 160, 120)
    move(shown(desk), 10, 10)
    desk.panel.swap(0)
    assert shown(desk).bounds == Rect(17, 5, 160, 120)


def test_a_locked_result_is_not_swapped_and_a_sentence_says_so(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    key = variants(desk)
    shown(desk).locked = True
    before = desk.editor.stack(desk.document)
    desk.panel.swap(1)
    assert shown(desk).key == key and desk.editor.stack(desk.document) == before
    assert "locked" in desk.view.status.sentence
    assert [each.shown for each in desk.view.results] == [True, False]
    shown(desk).locked = False
    desk.panel.swap(1)
    assert shown(desk).key != key


def test_no_group_of_the_painters_goes_when_its_only_layer_is_exchanged(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    group = desk.editor.add(desk.document, Node("", "folder", children=[], opacity=40))
    own = desk.editor.add(desk.document, Node("", "sheet", Rect(0, 0, 9, 9), lantern(9, 9)), group)
    variants(desk)
    desk.editor.remove(desk.document, [own])
    desk.panel.swap(1)
    assert desk.names() == ["folder", "foreground 1"]
    desk.panel.discard()
    assert desk.names() == ["folder"]


def test_a_group_of_a_scene_stays_when_the_painter_put_something_into_it(tmp_path: Path) -> None:
    for mask in (False, True):
        desk = Desk(tmp_path)
        scene(desk)
        group = next(each.key for each in desk.editor.layers(desk.document) if each.group)
        if mask:
            desk.editor.node(desk.document, group).mask = Selection(Rect(0, 0, 9, 9), bytes(81))
        else:
            sheet = Node("", "mine", Rect(0, 0, 9, 9), lantern(9, 9))
            desk.editor.add(desk.document, sheet, group)
        desk.panel.discard()
        assert desk.names() == (["harbour"] if mask else ["harbour", "mine"])


def test_a_group_of_the_painters_into_which_a_scene_was_dragged_stays(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    scene(desk)
    nodes = desk.editor.sheet(desk.document).nodes
    layers = nodes[0].children
    assert layers is not None
    nodes[0].children = []
    nodes.append(Node("mine", "folder", children=layers, opacity=50))
    desk.panel.discard()
    assert "folder" in desk.names()


def test_painting_anew_and_discarding_brings_the_old_layer_back(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    variants(desk, 1)
    node = shown(desk)
    node.pixels = painted = solid(160, 120, BLUE)
    node.opacity, recipe = 80, node.recipe
    desk.panel.swap(0)
    desk.panel.regenerate()
    desk.layer(image=lantern(160, 120, 3))
    desk.done()
    assert shown(desk).pixels != painted and shown(desk).opacity == 80
    desk.panel.discard()
    back = shown(desk)
    assert (back.pixels, back.opacity, back.recipe) == (painted, 80, recipe)


def test_a_repainting_hides_its_source_in_the_same_step(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    key = desk.paint("sketch", lantern(64, 64))
    variants(desk, 1, "refine")
    assert not desk.editor.node(desk.document, key).visible
    desk.editor.undo(desk.document)
    assert desk.names() == ["sketch"] and desk.editor.node(desk.document, key).visible
    desk.editor.redo(desk.document)
    assert not desk.editor.node(desk.document, key).visible
    desk.panel.discard()
    assert desk.names() == ["sketch"] and desk.editor.node(desk.document, key).visible


def test_a_repainting_may_replace_its_source_or_leave_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.paint("sketch", lantern(64, 64))
    desk.panel.set_field("after_repaint", "replace")
    variants(desk, 1, "refine")
    assert desk.names() == ["sketch"] and shown(desk).recipe is not None
    desk.panel.discard()
    assert desk.names() == ["sketch"]
    desk.panel.set_field("after_repaint", "keep")
    variants(desk, 1, "refine")
    assert desk.names() == ["foreground 0", "sketch"]
    assert all(each.visible for each in desk.editor.sheet(desk.document).nodes)
    desk.panel.stop()
    assert Desk(tmp_path).view.fields["after_repaint"].value == "keep", "remembered"


@pytest.mark.parametrize("mode", ["refine", "background"])
def test_a_layer_is_worked_on_as_it_is_shown_with_its_masks_and_those_of_its_groups(
    tmp_path: Path, mode: str
) -> None:
    desk = Desk(tmp_path)
    whole = Rect(0, 0, 160, 120)
    group = desk.editor.add(
        desk.document,
        Node("", "folder", children=[], mask=Selection(Rect(0, 0, 80, 120)), opacity=120),
    )
    node = Node("", "boat", whole, solid(160, 120, RED), mask=Selection(Rect(0, 0, 160, 60)))
    desk.editor.add(desk.document, node, group)
    desk.panel.refresh()
    desk.ask("a boat", mode)
    sent, frame = desk.request.images["layer"], desk.request.frame
    assert frame is not None and frame.canvas == whole

    def alpha(x: int, y: int) -> int:
        return sent.data[4 * (y * sent.width + x) + 3]

    assert [alpha(40, 30), alpha(120, 30), alpha(40, 90)] == [255, 0, 0]


def test_what_replaces_a_layer_is_made_from_its_own_pixels_as_it_keeps_mask_and_filters(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path)
    whole = Rect(0, 0, 160, 120)
    half = Selection(Rect(0, 0, 160, 60))
    desk.editor.add(
        desk.document,
        Node("", "boat", whole, solid(160, 120, RED), mask=half, filters=("invert",)),
    )
    desk.panel.refresh()
    desk.panel.set_field("after_repaint", "replace")
    variants(desk, 1, "refine")
    assert desk.request.images["layer"] == solid(160, 120, RED), "or both would count twice"
    assert (shown(desk).mask, shown(desk).filters) == (half, ("invert",))


def test_a_repainting_is_blended_as_the_layer_that_it_hides(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    how = {"opacity": 90, "blending": "multiply", "clipped": True}
    key = desk.paint("shade", lantern(64, 64))
    vars(desk.editor.node(desk.document, key)).update(how)
    variants(desk, 2, "refine")

    def seen() -> list[dict[str, object]]:
        nodes = desk.editor.sheet(desk.document).nodes
        return [{name: getattr(node, name) for name in how} for node in nodes]

    assert seen() == [how, how]
    desk.panel.keep(0)
    desk.panel.swap(1)
    assert seen() == [how, how, how], "and so is the one beside it"


def test_discarding_one_of_several_results_leaves_those_that_wait(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    key = desk.paint("sketch", lantern(64, 64))
    variants(desk, 3, "refine")
    desk.panel.discard()
    assert desk.names() == ["sketch"] and desk.editor.node(desk.document, key).visible
    assert [each.shown for each in desk.view.results] == [False, False]
    desk.panel.swap(1)
    assert desk.names() == ["foreground 2", "sketch"]
    assert not desk.editor.node(desk.document, key).visible
    desk.panel.discard()
    assert [each.shown for each in desk.view.results] == [False]
    desk.panel.discard()
    assert desk.view.results == () and desk.names() == ["sketch"]


def test_a_discarded_result_is_back_in_the_strip_with_an_undo(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    key = desk.paint("sketch", lantern(64, 64))
    variants(desk, 3, "refine")
    desk.panel.swap(1)
    desk.panel.discard()
    desk.editor.undo(desk.document)
    desk.panel.refresh()
    assert [each.shown for each in desk.view.results] == [False, True, False]
    assert not desk.editor.node(desk.document, key).visible
    desk.panel.discard()
    assert desk.names() == ["sketch"] and desk.editor.node(desk.document, key).visible


def test_after_a_result_that_replaced_is_discarded_the_next_one_replaces(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.paint("sketch", solid(64, 64, RED))
    desk.panel.set_field("after_repaint", "replace")
    variants(desk, 2, "refine")
    for index in (0, 0):
        desk.panel.discard()
        (node,) = desk.editor.sheet(desk.document).nodes
        assert node.name == "sketch" and node.pixels == solid(64, 64, RED)
        desk.panel.swap(index)
        if desk.view.results:
            assert desk.names() == ["sketch"] and shown(desk).pixels != solid(64, 64, RED)


def test_another_try_after_replacing_means_what_was_replaced(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.paint("sketch", solid(64, 64, RED))
    desk.panel.set_field("after_repaint", "replace")
    variants(desk, 1, "refine")
    first, standing = desk.request, shown(desk).key
    for _time in range(2):
        desk.panel.another_try()
        assert desk.request.images == first.images and desk.request.frame == first.frame
        assert desk.request.recipe.seed != first.recipe.seed
        desk.layer()
        desk.done()
        assert desk.names() == ["sketch"] and shown(desk).key != standing, "in its place"
        standing = shown(desk).key


def test_another_try_means_the_source_of_the_last_job(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    source = desk.paint("sketch", solid(64, 64, RED))  # Not what comes back.
    assert not desk.view.can_try_again
    variants(desk, 1, "refine")
    first = desk.request
    desk.panel.swap(0)
    assert desk.editor.sheet(desk.document).active != source
    assert desk.view.can_try_again
    desk.panel.another_try()
    assert desk.request.images == first.images and desk.request.frame == first.frame
    assert desk.request.recipe.seed != first.recipe.seed
    assert desk.request.recipe.prompt == first.recipe.prompt


def test_pressing_twice_works_on_the_same_source(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.paint("lantern", lantern(20, 16), 30, 40)
    desk.ask("a harbour", "background")
    desk.layer(role=Role.BACKGROUND)
    desk.done()
    first = desk.request
    desk.panel.generate()
    assert desk.request is not first and desk.request.images == first.images


def test_each_document_has_its_own_strip(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    variants(desk)
    other = desk.editor.new(160, 120, title="other.ora")
    desk.panel.refresh()
    assert desk.view.results == ()
    desk.panel.swap(1)
    desk.panel.discard()
    assert desk.names() == ["foreground 0"], "nothing happens in a document that is not looked at"
    desk.editor.active = desk.document
    desk.panel.refresh()
    assert [each.shown for each in desk.view.results] == [True, False]
    desk.editor.active = other
    desk.panel.refresh()
    assert desk.view.results == ()


def test_progress_belongs_to_the_document_and_the_queue_shows_all(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    one = desk.ask("a red boat")
    desk.progress(2, 9)
    assert desk.view.running and desk.view.can_generate
    desk.editor.new(160, 120, title="other.ora")
    desk.panel.refresh()
    assert not desk.view.running and desk.view.progress is None
    other = desk.ask("a blue boat")
    assert [(each.title, each.here) for each in desk.view.queue] == [
        ("harbour.ora", False),
        ("other.ora", True),
    ]
    desk.panel.cancel(one)
    assert desk.link.cancelled == [one]
    desk.panel.cancel()
    assert desk.link.cancelled == [one, other]


def scene(desk: Desk) -> None:
    desk.panel.set_mode("joint")
    desk.panel.set_layer_prompt("foreground", "a boat")
    desk.ask("a harbour, at night", "joint")
    desk.layer(role=Role.FOREGROUND)
    opaque = solid(160, 120, (9, 9, 9, 255))
    desk.layer(0, opaque, Role.BACKGROUND, index=1)
    desk.layer(0, opaque, Role.BLENDED, index=2)
    desk.done()
    assert desk.names() == ["harbour", "foreground 0", "background 0"]
