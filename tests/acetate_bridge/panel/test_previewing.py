"""Live previews and results in place, as the panel shows them: the document never notices."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

from acetate_bridge.client.connection_state import Connection
from acetate_bridge.editing.editor import Selection
from acetate_bridge.editing.insertion import HAND_RESTS_AFTER
from acetate_bridge.panel import live, previewing
from acetate_bridge.panel.preview_view import Placed
from acetate_bridge.protocol.geometry import Rect, Size
from acetate_bridge.protocol.messages import Cancelled
from acetate_bridge.protocol.types import Image
from tests.acetate_bridge.panel.desk import LIMITS, Desk, lantern, solid
from tests.editors.pixels import cut


class Time:
    """A clock that stands still until the test moves it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class LiveDesk(Desk):
    """A sketch on a sheet, and the live preview switched on."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.time = Time()
        self.panel._live._now = self.time  # pyright: ignore[reportPrivateUsage]
        self.sketch = self.paint("sketch", lantern(64, 64), 20, 10)
        self.panel.set_prompt("a paper lantern")
        self.before = copy.deepcopy(self.editor.sheet(self.document))
        self.panel.set_live(True)

    def rest(self) -> None:
        """The hand has rested long enough."""
        self.editor.pass_time()
        self.time.now += 2 * HAND_RESTS_AFTER
        self.editor.pass_time()

    def draw(self, variant: int) -> None:
        """A stroke: other pixels on the same layer."""
        self.editor.painting = True
        self.editor.pass_time()
        self.editor.node(self.document, self.sketch).pixels = lantern(64, 64, variant)
        self.editor.painting = False
        self.editor.pass_time()

    def come(self) -> None:
        self.layer()
        self.done()


def test_the_active_layer_is_repainted_as_a_preview_that_the_document_does_not_notice(
    tmp_path: Path,
) -> None:
    desk = LiveDesk(tmp_path)
    desk.rest()
    assert desk.request.recipe.mode == "refine" and desk.request.recipe.prompt == "a paper lantern"
    assert desk.request.recipe.steps == previewing.MOST_STEPS < 9, "the model's advice is 9"
    assert desk.request.recipe.passes == 1
    assert desk.view.live.painting and desk.view.in_place is None
    assert not desk.view.queue and not desk.view.running, "it is no job of the painter's"
    desk.come()
    shown = desk.view.in_place
    assert shown is not None and shown.document == desk.document
    assert shown.region == Rect(20, 10, 64, 64) and len(shown.pictures) == 1
    assert desk.view.live.can_keep and not desk.view.live.painting
    assert desk.link.acknowledged == [desk.job], "nothing stays at the server"
    assert not desk.view.results and not desk.view.history
    assert desk.editor.sheet(desk.document) == desk.before


def test_the_preview_hides_its_source_as_the_repainted_layer_would(tmp_path: Path) -> None:
    desk = LiveDesk(tmp_path)
    desk.rest()
    desk.come()
    shown = desk.view.in_place
    assert shown is not None and shown.backdrop is not None
    assert shown.seen == shown.region and not any(shown.backdrop.data), "nothing else is there"
    desk.panel.set_field("after_repaint", "keep")
    desk.draw(5)
    desk.rest()
    desk.come()
    assert desk.view.in_place is not None and desk.view.in_place.backdrop is None


def test_each_stroke_cancels_what_is_on_its_way_and_the_newest_is_shown(tmp_path: Path) -> None:
    desk = LiveDesk(tmp_path)
    for stroke in range(1, 20):
        desk.rest()
        job = desk.job
        desk.draw(stroke)
        assert desk.link.cancelled[-1] == job and desk.view.in_place is None
        desk.hear(Cancelled(job, 0))
    desk.rest()
    assert bytes((250, 40 * 19 % 256, 10, 255)) in desk.request.images["layer"].data
    desk.come()
    assert desk.view.live.can_keep
    assert sorted(desk.link.acknowledged) == sorted(desk.link.requests)
    assert len(desk.editor.later) == 1, "one clock, however often it was drawn"


def test_keep_puts_the_preview_in_as_one_undo_step_and_it_is_not_painted_again(
    tmp_path: Path,
) -> None:
    desk = LiveDesk(tmp_path)
    desk.rest()
    desk.come()
    past = len(desk.editor.sheet(desk.document).past)
    desk.panel.keep_live()
    assert desk.names() == ["foreground 0", "sketch"] and desk.view.in_place is None
    assert len(desk.editor.sheet(desk.document).past) == past + 1
    assert not desk.editor.node(desk.document, desk.sketch).visible, "as a repainting does"
    assert [each.shown for each in desk.view.results] == [True]
    asked = len(desk.link.requests)
    desk.rest()
    desk.rest()
    assert len(desk.link.requests) == asked and desk.view.in_place is None
    desk.panel.another_try()
    assert desk.request.recipe.mode == "refine" and len(desk.link.requests) == asked + 1
    desk.editor.undo(desk.document)
    assert desk.names() == ["sketch"]
    assert desk.editor.node(desk.document, desk.sketch).visible


def test_a_slow_server_is_asked_for_a_smaller_picture_from_the_next_stroke_on(
    tmp_path: Path,
) -> None:
    desk = LiveDesk(tmp_path)
    desk.paint("large", lantern(160, 160), 0, 0)
    desk.rest()
    first = desk.request.recipe
    desk.time.now += 8 * live.PAINTED_WITHIN
    desk.come()
    desk.rest()
    assert len(desk.link.requests) == 1, "to be slow is no reason to paint again"
    desk.paint("changed", lantern(160, 160, 1), 0, 0)
    desk.rest()
    second = desk.request.recipe
    assert second.width * second.height < first.width * first.height
    assert LIMITS.allow(Size(second.width, second.height))


def test_keep_without_a_preview_is_a_sentence(tmp_path: Path) -> None:
    desk = LiveDesk(tmp_path)
    desk.panel.keep_live()
    assert desk.view.status.sentence == "There is no preview yet." and desk.names() == ["sketch"]


def test_a_soft_selection_is_repainted_and_clips_the_preview(tmp_path: Path) -> None:
    desk = LiveDesk(tmp_path)
    selection = Selection(Rect(24, 14, 32, 32), bytes([128]) * 1024)
    desk.editor.sheet(desk.document).selected = selection
    desk.rest()
    desk.come()
    shown = desk.view.in_place
    assert shown is not None and shown.mask == selection and shown.region == selection.bounds


def test_a_new_prompt_or_strength_is_a_new_preview(tmp_path: Path) -> None:
    desk = LiveDesk(tmp_path)
    desk.rest()
    desk.come()
    for change in (
        lambda: desk.panel.set_prompt("a glass lantern"),
        lambda: desk.panel.set_field("strength", 0.9),
    ):
        change()
        asked = len(desk.link.requests)
        desk.rest()
        assert len(desk.link.requests) == asked + 1
        desk.come()
    assert desk.request.recipe.strength == 0.9
    assert desk.request.recipe.prompt == "a glass lantern"


def test_without_a_layer_a_prompt_or_a_server_it_says_so(tmp_path: Path) -> None:
    desk = LiveDesk(tmp_path)
    desk.panel.set_prompt("")
    desk.rest()
    assert desk.view.live.sentence == "Say what to paint first."
    desk.panel.set_prompt("a lantern")
    desk.editor.sheet(desk.document).active = ""
    desk.rest()
    assert desk.view.live.sentence == "Choose the layer to work on first."
    desk.state(Connection.WAITING, "The server is away.")
    desk.rest()
    assert desk.view.live.sentence == "The server is away." and not desk.view.live.offered
    assert not desk.link.requests


def test_it_ends_with_the_document_the_panel_and_the_switch(tmp_path: Path) -> None:
    desk = LiveDesk(tmp_path)
    desk.rest()
    desk.come()
    desk.editor.new(64, 64)
    desk.editor.pass_time()
    assert desk.view.in_place is None, "it belongs to the other document"
    desk.editor.active = desk.document
    desk.rest()
    desk.editor.close(desk.document)
    desk.rest()
    assert desk.view.in_place is None and desk.view.live.sentence
    desk.panel.set_live(False)
    desk.editor.pass_time()
    assert not desk.view.live.on and not desk.editor.later, "the clock stands still"
    second = LiveDesk(tmp_path / "second")
    second.rest()
    second.panel.stop()
    assert second.link.cancelled == [second.job] and not second.view.live.on
    second.editor.pass_time()
    assert second.editor.sheet(second.document).nodes == second.before.nodes


def test_what_a_crash_has_left_at_the_server_is_thrown_away_at_the_next_start(
    tmp_path: Path,
) -> None:
    desk = LiveDesk(tmp_path)
    desk.rest()
    job, request = desk.job, desk.request
    again = Desk(tmp_path, editor=desk.editor)
    again.link.requests[job] = request
    again.layer()
    again.done()
    assert again.link.acknowledged == [job]
    assert not again.view.results and again.view.offer is None and again.view.in_place is None


def test_the_pointer_on_a_result_shows_it_in_place_of_the_one_that_stands(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.paint("paper", solid(160, 120, (9, 9, 9, 255)))
    desk.panel.set_field("variants", 2)
    desk.ask()
    desk.layer(0)
    desk.layer(1)
    desk.done()
    before = copy.deepcopy(desk.editor.sheet(desk.document))
    desk.panel.peek(1)
    shown = desk.view.in_place
    assert shown is not None and shown.pictures[0].image == lantern(160, 120, 1)
    assert shown.backdrop == solid(160, 120, (9, 9, 9, 255)), "without the one that stands"
    desk.panel.peek(0)
    assert desk.view.in_place is None, "the document shows it already"
    desk.panel.peek(1)
    desk.panel.swap(1)
    assert desk.view.in_place is None
    desk.panel.swap(0)
    desk.panel.peek_nothing()
    assert desk.view.in_place is None
    desk.editor.sheet(desk.document).past, before.past = [], []
    names = [node.name for node in before.nodes]
    assert desk.names() == names
    for index in (-7, 2, 99):
        desk.panel.peek(index)
        assert desk.view.in_place is None


def test_the_pointer_on_the_preview_shows_it_over_all_that_the_model_sees(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ask()
    desk.panel.peek_preview()
    assert desk.view.in_place is None, "there is none yet"
    rough = solid(24, 18, (200, 0, 0, 255))
    desk.preview(rough)
    shown, frame = desk.view.in_place, desk.request.frame
    assert frame is not None and shown is not None
    assert shown.pictures == (Placed(rough, frame.canvas),) and shown.region == frame.region
    desk.done()
    assert desk.view.in_place is None
    desk.ask()
    desk.preview(rough)
    assert desk.view.in_place is None, "nobody has asked to see the next one"


def test_where_nobody_can_draw_on_a_canvas_the_picture_around_is_read_too(tmp_path: Path) -> None:
    desk = LiveDesk(tmp_path)
    desk.panel.around = 0.25
    desk.rest()
    desk.come()
    shown = desk.view.in_place
    assert shown is not None and shown.seen == Rect(4, 0, 96, 90)
    assert shown.backdrop is not None and shown.backdrop.width == 96


def test_what_lies_above_the_place_of_a_preview_covers_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.panel.around = 0.25
    sketch = desk.paint("sketch", lantern(64, 64), 20, 10)
    desk.ask("a boat", "refine")
    desk.preview(solid(64, 64, (200, 0, 0, 255)))
    desk.panel.peek_preview()
    assert desk.view.in_place is not None and desk.view.in_place.cover is None
    desk.paint("far away", solid(9, 9, (1, 2, 3, 255)), 150, 110)
    ink = desk.paint("ink", solid(32, 64, (1, 2, 3, 255)), 20, 10)
    desk.preview(solid(64, 64, (200, 0, 0, 255)))
    shown = desk.view.in_place
    assert shown is not None and shown.cover is not None
    region = Rect(shown.region.x - shown.seen.x, shown.region.y - shown.seen.y, 64, 64)
    found = [
        cut(shown.cover, Rect(0, 0, 96, 90), Rect(region.x + x, region.y, 1, 1)) for x in (9, 40)
    ]
    assert [each.data for each in found] == [bytes((1, 2, 3, 255)), bytes(4)]
    desk.editor.node(desk.document, ink).visible = False
    desk.preview(solid(64, 64, (200, 0, 0, 255)))
    assert desk.view.in_place is not None and desk.view.in_place.cover is None
    desk.editor.node(desk.document, ink).visible = True
    desk.layer(0)
    desk.done()
    assert desk.names() == ["ink", "far away", "foreground 0", "sketch"] and sketch


def test_of_a_huge_canvas_nothing_is_read_for_a_preview(tmp_path: Path) -> None:
    desk = LiveDesk(tmp_path)
    sheet = desk.editor.sheet(desk.document)
    sheet.size = replace(sheet.size, width=8192, height=8192)

    def read_below(*_: object, **__: object) -> Image:
        raise AssertionError("it would be felt in the hand")

    desk.rest()
    desk.editor.read_below = read_below  # type: ignore[method-assign]
    desk.come()
    assert desk.view.in_place is not None and desk.view.in_place.backdrop is None
