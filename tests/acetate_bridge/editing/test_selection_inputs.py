"""Plans and pictures of the modes that paint into a selection, and of those that enlarge."""

from __future__ import annotations

import pytest

from acetate_bridge.editing.editor import Document, LayerInfo, Selection
from acetate_bridge.editing.inputs import gather, selection_image
from acetate_bridge.editing.plan import CannotPlan, Situation, plan
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.geometry import Rect, Size
from acetate_bridge.protocol.modes import mode_row
from acetate_bridge.protocol.types import Image, Recipe
from tests.editors.memory_editor import MemoryEditor
from tests.editors.memory_stack import Node

LIMITS = FrameLimits(multiple=16, smallest=64, largest=256, most_pixels=256 * 256)
DOCUMENT = Document("d", "harbour", Size(300, 200))
LAYER = LayerInfo("l", "boat", Rect(40, 40, 60, 50))


def test_a_rectangle_is_white_on_black() -> None:
    selected = Selection(Rect(50, 60, 20, 10))
    found = plan("fill", Situation(DOCUMENT, LAYER, selected), LIMITS)
    picture = selection_image(found)
    inside, canvas = found.frame.crop, found.frame.canvas
    assert (picture.width, picture.height) == (canvas.width, canvas.height)
    assert found.region == selected.bounds and canvas.contains(selected.bounds)
    for y in range(picture.height):
        for x in range(picture.width):
            white = inside.x <= x < inside.right and inside.y <= y < inside.bottom
            start = 4 * (y * picture.width + x)
            assert picture.data[start : start + 4] == (b"\xff" * 4 if white else b"\0\0\0\xff")


def test_a_soft_selection_is_grey() -> None:
    mask = bytes(range(64))
    found = plan("fill", Situation(DOCUMENT, LAYER, Selection(Rect(50, 60, 8, 8), mask)), LIMITS)
    picture, inside = selection_image(found), found.frame.crop
    start = 4 * ((inside.y + 3) * picture.width + inside.x + 5)
    assert picture.data[start : start + 4] == bytes((29, 29, 29, 255))


@pytest.mark.parametrize(
    ("selected", "sentence"),
    [
        (None, "Select the part to paint into first."),
        (Selection(Rect(250, 170, 20, 20)), "far from “boat”"),
        (Selection(Rect(50, 50, 1, 1)), "only 1 × 1 pixels"),
    ],
)
def test_what_cannot_be_filled_is_one_sentence(selected: Selection | None, sentence: str) -> None:
    with pytest.raises(CannotPlan, match=sentence):
        plan("fill", Situation(DOCUMENT, LAYER, selected), LIMITS)


def test_a_layer_is_enlarged_as_it_lies_whatever_is_selected() -> None:
    found = plan("upscale", Situation(DOCUMENT, LAYER, Selection(Rect(0, 0, 9, 9))), LIMITS)
    assert found.region == found.frame.canvas == LAYER.bounds
    assert not found.frame.resampled and found.mask is None


def test_what_lies_beneath_a_layer_is_read_without_it() -> None:
    editor = MemoryEditor()
    document = editor.new(64, 64)
    whole = Rect(0, 0, 64, 64)
    for name, colour in (("sky", (0, 0, 200, 255)), ("boat", (200, 0, 0, 255))):
        editor.add(document, Node("", name, whole, Image(64, 64, bytes(colour) * 64 * 64)))
    situation = Situation(editor.documents()[0], editor.active_layer(document))
    for mode, seen in (("harmonize", (0, 0, 200, 255)), ("foreground", (200, 0, 0, 255))):
        found = plan(mode, situation, LIMITS)
        gathered = gather(editor, found, mode_row(mode).info, Recipe(mode, "a boat"), 1)
        assert gathered.request.images["picture"].data[:4] == bytes(seen)
    assert set(gathered.request.images) == {"picture"}


@pytest.mark.parametrize("mode", ["defringe", "cutout"])
def test_an_edge_is_cleaned_pixel_by_pixel_in_view_of_what_is_around(mode: str) -> None:
    found = plan(mode, Situation(DOCUMENT, LAYER), LIMITS)
    assert found.origin == "layer" and found.frame.size == LAYER.bounds.size  # pyright: ignore[reportOptionalMemberAccess]
    found = plan(mode, Situation(DOCUMENT, LAYER, Selection(Rect(0, 0, 9, 9))), LIMITS)
    assert found.region == Rect(0, 0, 9, 9) and not found.frame.resampled
    assert found.frame.canvas == Rect(-16, -16, 41, 41)
