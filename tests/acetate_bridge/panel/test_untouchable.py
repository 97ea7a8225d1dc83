"""Nothing of the painter's is lost, moved or disturbed, whatever is done with the results."""

from __future__ import annotations

from pathlib import Path

import pytest

from acetate_bridge.editing.editor import Selection
from acetate_bridge.protocol.geometry import Rect, Size
from acetate_bridge.protocol.types import Image, Role
from tests.acetate_bridge.panel.desk import Desk, lantern, solid
from tests.editors.memory_editor import KINDS
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


def shown(desk: Desk) -> Node:
    """The node of the result that stands in the document."""
    nodes = [
        desk.editor.node(desk.document, each.key) for each in desk.editor.layers(desk.document)
    ]
    return next(node for node in nodes if node.recipe is not None)


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
    _move(shown(desk), 7, -5)
    desk.panel.swap(1)
    assert shown(desk).bounds == Rect(7, -5, 160, 120)
    _move(shown(desk), 10, 10)
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


def test_the_region_follows_a_canvas_that_grows_and_a_layer_that_moves(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    key = desk.paint("sketch", picture(64, 64), 20, 10)
    desk.editor.sheet(desk.document).selected = Selection(Rect(40, 30, 64, 64))
    desk.ask()
    sheet = desk.editor.sheet(desk.document)
    sheet.size = Size(300, 300)
    _move(desk.editor.node(desk.document, key), 50, 60)
    desk.layer()
    assert shown(desk).bounds == Rect(90, 90, 64, 64)

    desk.editor.sheet(desk.document).selected = None
    desk.editor.choose(desk.document, key)
    desk.ask("a boat", "refine")
    _move(desk.editor.node(desk.document, key), -3, 4)
    desk.layer()
    bounds = [each.bounds for each in desk.editor.layers(desk.document)]
    assert Rect(67, 74, 64, 64) in bounds


@pytest.mark.parametrize("deed", ["scaled", "mirrored", "upside down", "layer scaled"])
def test_a_result_whose_place_is_lost_is_offered(tmp_path: Path, deed: str) -> None:
    desk = Desk(tmp_path)
    key = desk.paint("sketch", picture(160, 120))
    job = desk.ask("a boat", "refine" if deed == "layer scaled" else "text")
    node, sheet = desk.editor.node(desk.document, key), desk.editor.sheet(desk.document)
    assert node.pixels is not None
    if deed == "scaled":
        sheet.size, node.bounds = Size(80, 60), Rect(0, 0, 80, 60)
        node.pixels = picture(80, 60)
    elif deed == "layer scaled":
        node.bounds, node.pixels = Rect(0, 0, 80, 60), picture(80, 60)
    else:
        node.pixels = turned(node.pixels, deed == "upside down")
    desk.layer()
    desk.done()
    assert desk.names() == ["sketch"] and not desk.link.acknowledged
    assert desk.view.offer is not None and "scaled or turned" in desk.view.offer.sentence
    desk.panel.insert_offer()
    assert len(desk.names()) == 2 and desk.link.acknowledged == [job]


def test_painting_on_while_a_job_runs_does_not_move_the_result(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    key = desk.paint("sketch", picture(100, 80))
    desk.ask("a boat", "refine")
    node = desk.editor.node(desk.document, key)
    node.bounds, node.pixels = Rect(0, 0, 160, 120), solid(160, 120, RED)
    desk.layer()
    assert shown(desk).bounds == Rect(0, 0, 100, 80)


def test_a_document_is_found_again_by_what_it_is(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    job = desk.ask()
    desk.panel.stop()
    again = Desk(tmp_path, editor=desk.editor)
    again.document, again.link.requests[job] = desk.document, desk.request
    again.layer(job=job)
    again.done(job)
    assert again.view.offer is None and again.names() == ["foreground 0"]
    assert again.link.acknowledged == [job]


def test_a_refused_result_is_not_settled_until_it_is_in_or_thrown_away(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    job = desk.ask()
    kind = desk.editor.sheet(desk.document).kind
    desk.editor.sheet(desk.document).kind = next(k for k in KINDS if not k.keeps_colour)
    desk.layer()
    desk.done()
    assert desk.names() == [] and not desk.link.acknowledged
    desk.editor.sheet(desk.document).kind = kind
    desk.panel.swap(0)
    assert desk.names() == ["foreground 0"] and desk.link.acknowledged == [job]
    job = desk.ask()
    desk.layer(image=solid(160, 120, RED))
    desk.done()
    assert job not in desk.link.acknowledged
    desk.panel.discard()
    assert job in desk.link.acknowledged


def test_what_was_refused_is_offered_when_newer_results_come(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    kind = desk.editor.sheet(desk.document).kind
    jobs = [desk.ask(), desk.ask()]
    desk.editor.sheet(desk.document).kind = next(k for k in KINDS if not k.keeps_colour)
    for job in jobs:
        desk.layer(job=job)
        desk.done(job)
    assert desk.view.offer is not None and "could not take it" in desk.view.offer.sentence
    desk.editor.sheet(desk.document).kind = kind
    desk.panel.swap(0)
    assert desk.link.acknowledged == [jobs[1]]
    desk.panel.insert_offer()
    assert desk.names() == ["foreground 0"] * 2 and desk.link.acknowledged == [jobs[1], jobs[0]]


def test_an_entry_of_the_history_is_painted_again_from_its_seed_at_its_place(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path)
    desk.editor.sheet(desk.document).selected = Selection(Rect(40, 30, 64, 64))
    variants(desk, 1)
    first = desk.request
    desk.editor.sheet(desk.document).selected = None
    desk.panel.refresh()
    desk.panel.repeat(0)
    assert desk.request is not first
    assert desk.request.recipe == first.recipe and desk.request.frame == first.frame


@pytest.mark.parametrize("mode", ["text", "background", "foreground", "refine", "extract"])
def test_an_entry_painted_again_sees_what_it_saw_and_is_clipped_as_it_was(
    tmp_path: Path, mode: str
) -> None:
    desk = Desk(tmp_path)
    desk.paint("boat", solid(100, 80, RED), 10, 10)
    soft = Selection(Rect(20, 20, 64, 48), bytes(range(64)) * 48)
    desk.editor.sheet(desk.document).selected = soft
    desk.panel.refresh()
    desk.ask(mode=mode)
    first = desk.request
    desk.layer()
    desk.done()
    desk.panel.discard()
    desk.editor.sheet(desk.document).selected = None
    desk.panel.refresh()
    desk.panel.repeat(0)
    again = desk.request
    assert again is not first
    assert (again.recipe, again.frame, again.images) == (first.recipe, first.frame, first.images)
    desk.layer()
    desk.done()
    (ours,) = [each for each in desk.editor.layers(desk.document) if each.name != "boat"]
    assert desk.editor.node(desk.document, ours.key).mask == soft


def test_while_a_tool_is_in_use_the_result_waits_and_a_button_lets_it_in(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ask()
    desk.editor.painting = True
    desk.layer()
    desk.done()
    button = desk.view.status.button
    assert desk.names() == [] and button is not None and button.action == "insert_now"
    desk.panel.press_status_button()
    assert desk.names() == ["foreground 0"]


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


def picture(width: int, height: int) -> Image:
    """Lighter to the right and redder downwards, so that every turn of it shows."""
    rows = bytearray()
    for y in range(height):
        for x in range(width):
            rows += bytes((y * 255 // height, x * 255 // width, 80, 255))
    return Image(width, height, bytes(rows))


def turned(image: Image, upside_down: bool) -> Image:
    stride = 4 * image.width
    rows = [image.data[y * stride : (y + 1) * stride] for y in range(image.height)]
    if upside_down:
        rows.reverse()
    else:
        rows = [b"".join(row[x : x + 4] for x in range(stride - 4, -1, -4)) for row in rows]
    return Image(image.width, image.height, b"".join(rows))


def _move(node: Node, x: int, y: int) -> None:
    assert node.bounds is not None
    node.bounds = node.bounds.moved(x, y)
    node.moved = (node.moved[0] + x, node.moved[1] + y)
