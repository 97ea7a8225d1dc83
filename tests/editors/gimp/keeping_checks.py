"""Runs inside GIMP: results that the painter has worked on, swapped, painted anew and refused."""

# pyright: reportMissingImports=false
from __future__ import annotations

import logging
import os
import tempfile
import traceback
from collections.abc import Callable
from typing import Any

from gi.repository import Gimp, Gio

from acetate_bridge.editing.metadata import read_history
from acetate_bridge.protocol.geometry import Rect
from adapter import waiting
from adapter.hand import Hand
from tests.editors.contract_law import Story
from tests.editors.gimp.fingerprint import fingerprint
from tests.editors.gimp.host import GimpHost
from tests.editors.gimp.zoo import dress


def check_swapping_keeps_all_that_was_done_to_a_result(host: GimpHost) -> None:
    story, key = _with_a_result(host)
    dress(int(key))
    before = _told(story, key)
    story.press("swap", 1)
    (other,) = story.ours()
    after = _told(story, other)
    assert after.pop("pixels") != before["pixels"]
    assert after == {name: value for name, value in before.items() if name != "pixels"}
    story.press("swap", 0)
    (again,) = story.ours()
    found = _told(story, again)
    lost = [(name, before[name], found[name]) for name in before if found[name] != before[name]]
    assert not lost, f"the strokes are not there again: {lost}"
    story.close()


def check_painting_anew_keeps_all_that_was_done_to_a_result(host: GimpHost) -> None:
    story, key = _with_a_result(host)
    dress(int(key))
    before = _told(story, key)
    story.stage.press("swap", 0)
    story.stage.press("regenerate")
    story.stage.deliver()
    (other,) = story.ours()
    after = _told(story, other)
    assert other != key and after.pop("pixels") != before["pixels"]
    assert after == {name: value for name, value in before.items() if name != "pixels"}
    story.close()


def check_a_locked_result_is_refused_with_a_sentence(host: GimpHost) -> None:
    story, key = _with_a_result(host)
    Gimp.Item.get_by_id(int(key)).set_lock_content(True)
    # A refusal is noted in the log, too, which would be the console here.
    logging.getLogger("acetate.panel").disabled = True
    try:
        for action in (("swap", 1), ("discard",)):
            story.press(*action)
            assert story.ours() == {key}
            assert "is locked" in story.stage.said(), story.stage.said()
    finally:
        logging.getLogger("acetate.panel").disabled = False
    story.close()


def check_a_layer_that_was_dragged_into_a_scenes_group_keeps_the_group(host: GimpHost) -> None:
    story = Story(host, "nested groups")
    assert story.stage.ask("joint")
    story.stage.deliver()
    (group,) = [each for each in story.host.editor.layers(story.document) if each.name == "harbour"]
    image = story.host._image(story.document)
    own = next(each for each in image.get_layers() if each.get_name() == "Paper")
    image.reorder_item(own, Gimp.Item.get_by_id(int(group.key)), 0)
    story.stage.press("discard")
    left = {each.name: each for each in story.host.editor.layers(story.document)}
    assert "harbour" in left and left["Paper"].parent == group.key
    story.close()


def check_a_result_goes_where_its_region_lies_now_or_is_offered(host: GimpHost) -> None:
    story = Story(host, "nested groups")
    image = story.host._image(story.document)
    assert story.stage.ask("text")
    image.resize(60, 40, -20, -10)
    story.stage.deliver()
    (key,) = story.ours()
    assert list(Gimp.Item.get_by_id(int(key)).get_offsets())[1:] == [-20, -10]
    for change in (
        lambda: image.rotate(Gimp.RotationType.DEGREES90),
        lambda: image.scale(80, 120),
    ):
        assert story.stage.ask("text")
        change()
        story.stage.deliver()
        assert story.ours() == {key} and "insert it where you want it" in story.stage.offered()
        story.stage.press("dismiss_offer")
    story.close()


def check_a_file_opened_again_in_mid_job_gets_its_result_beside_its_source(host: GimpHost) -> None:
    story = Story(host, "nested groups")
    assert story.stage.ask("refine")
    story.document = host.reopen(story.document)
    story.stage.press("refresh")
    story.stage.deliver()
    layers = {each.name: each for each in host.editor.layers(story.document)}
    names = list(layers)
    at = names.index("active")
    assert names[at - 1] == "foreground 0", names
    assert layers["foreground 0"].parent == layers["active"].parent
    assert layers["active"].hidden and not layers["deep below"].hidden
    assert len(read_history(host.editor.note(story.document))) == 1
    story.close()


def check_the_results_of_a_file_are_there_when_it_is_opened_again(host: GimpHost) -> None:
    story, _ = _with_a_result(host)
    story.document = host.reopen(story.document)
    story.stage.press("refresh")
    assert story.stage.strip() == [True, False]
    (before,) = story.ours()
    story.stage.press("swap", 1)
    (after,) = story.ours()
    assert after != before and story.stage.strip() == [False, True]
    story.stage.press("discard")
    assert not story.ours()
    story.close()


def check_a_panel_that_is_opened_later_knows_the_results_of_a_file(host: GimpHost) -> None:
    story, key = _with_a_result(host)
    story.stage.close()
    for again in (False, True):
        if again:
            story.document = host.reopen(story.document)
            (key,) = story.ours()
        story.stage = host.open_panel()
        assert story.stage.strip() == [True]
        before = story.print()
        story.stage.press("discard")
        assert story.ours() == {key} and story.print() == before, "it is kept"
        story.stage.close()
    host.close(story.document)


def check_a_result_that_waited_for_an_anchor_lies_above_the_layer_below_it(host: GimpHost) -> None:
    for kind in ("layer", "mask"):
        story = Story(host, "nested groups")
        image = host._image(story.document)
        (layer,) = image.get_selected_layers()
        torn = layer
        if kind == "mask":
            torn = layer.create_mask(Gimp.AddMaskType.WHITE)
            layer.add_mask(torn)
            layer.set_edit_mask(True)
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 24, 14, 20, 20)
        floating = Gimp.Selection.float(image, [torn], 3, 3)
        assert Hand().why_busy(image) == waiting.ANCHOR
        Gimp.Selection.none(image)
        assert story.stage.ask("text"), story.stage.said()
        Gimp.floating_sel_anchor(floating)
        story.stage.deliver()
        assert [each.get_name() for each in layer.get_parent().get_children()][:2] == [
            "foreground 0",
            "active",
        ]
        story.close()


def check_an_image_that_became_indexed_in_mid_job_gets_its_result_when_converted(
    host: GimpHost,
) -> None:
    story = Story(host, "several layers and a soft selection")
    image = host._image(story.document)
    assert story.stage.ask("text"), story.stage.said()
    dither, palette = Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.WEB
    image.convert_indexed(dither, palette, 255, False, False, "")
    logging.getLogger("acetate.panel").disabled = True  # A refusal is noted there.
    story.stage.deliver()
    logging.getLogger("acetate.panel").disabled = False
    story.stage.press("refresh")
    assert not story.ours() and story.stage.strip() == [False]
    assert "indexed" in story.stage.said(), story.stage.said()
    for action in (("peek", 0), ("peek_nothing",), ("another_try",), ("regenerate",)):
        story.stage.press(*action)
        assert not story.ours()
        assert image.get_base_type() == Gimp.ImageBaseType.INDEXED, "nobody has asked for more"
    story.stage.press("press_status_button")
    assert image.get_base_type() == Gimp.ImageBaseType.RGB and len(story.ours()) == 1
    assert story.stage.strip() == [True]
    story.close()


def check_images_that_were_never_saved_are_told_apart(host: GimpHost) -> None:
    stories = [Story(host, "nested groups") for _ in range(2)]
    titles = {each.key: each.title for each in host.editor.documents()}
    told = [titles[story.document] for story in stories]
    numbers = [host._image(story.document).get_id() for story in stories]
    assert told == [f"[Untitled]-{number}" for number in numbers]
    for story in stories:
        story.close()


def check_of_several_selected_layers_the_topmost_is_worked_on(host: GimpHost) -> None:
    story = Story(host, "several layers and a soft selection")
    image = story.host._image(story.document)
    high, low = image.get_layers()[:2]
    for chosen in ([low, high], [high, low]):
        image.set_selected_layers(chosen)
        active = host.editor.active_layer(story.document)
        assert active is not None and active.key == str(high.get_id()), active
    story.close()


def check_to_be_marked_is_no_change_that_has_to_be_saved(host: GimpHost) -> None:
    story = Story(host, "nested groups")
    image = story.host._image(story.document)
    image.clean_all()
    assert host.editor.mark(story.document) and not image.is_dirty()
    story.close()


def check_a_link_is_left_alone(host: GimpHost) -> None:
    """Of GIMP 3.2, which has links; a file does not bring them back, so no story is told of one."""
    if not hasattr(Gimp, "LinkLayer"):
        return
    story = Story(host, "several layers and a soft selection")
    image = story.host._image(story.document)
    handle, path = tempfile.mkstemp(".png")
    os.close(handle)
    file = Gio.File.new_for_path(path)
    Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, file, None)
    link = Gimp.LinkLayer.new(image, file)
    image.insert_layer(link, None, 0)
    link.set_name("link")
    image.set_selected_layers([link])
    story.before = story.print()
    (entry,) = [name for name in story.before if name.endswith(" link")]
    for mode, hidden in (("text", ()), ("background", ()), ("refine", (entry,))):
        assert story.stage.ask(mode), story.stage.said()
        story.stage.deliver()
        story.untouched(f"a result of {mode}", hidden)
        story.press("discard")
        assert not story.ours() and link.is_link_layer()
    os.unlink(path)
    story.close()


def check_a_hidden_layer_is_no_transformation_when_it_was_hidden_before(host: GimpHost) -> None:
    story = Story(host, "several layers and a soft selection")
    image, hand = story.host._image(story.document), Hand()
    low, high = reversed(image.get_layers())
    high.set_visible(False)
    image.set_selected_layers([low])
    hand.watch(image)
    image.set_selected_layers([high])
    assert not hand.is_busy(image, in_front=True), "the painter has hidden it"
    low.set_visible(False)  # As a tool does with what it transforms, at once after it was chosen.
    image.set_selected_layers([low])
    assert hand.is_busy(image, in_front=True)
    assert hand.why_busy(image) == waiting.hidden(low.get_name())
    low.set_visible(True)
    assert not hand.is_busy(image, in_front=True)
    high.set_visible(True)
    hand.watch(image)
    image.set_selected_layers([high])
    high.set_visible(False)
    assert hand.is_busy(image, in_front=True), "it was seen in between"
    story.close()


def check_a_layer_is_read_as_it_is_shown(host: GimpHost) -> None:
    story = Story(host, "a layer of a group with a mask")
    layer = story.host._image(story.document).get_layers()[0].get_children()[0]
    whole = Rect(10, 5, 40, 30)
    own = host.editor.read_own(story.document, str(layer.get_id()), whole, "rgba8")
    shown = host.editor.read_layer(story.document, str(layer.get_id()), whole, "rgba8")
    left = [at for at in range(0, len(own.data), 4) if at // 4 % 40 < 20]
    right = [at for at in range(0, len(own.data), 4) if at // 4 % 40 >= 20]
    assert all(shown.data[at + 3] == own.data[at + 3] for at in left), "opacity does not count"
    assert not any(shown.data[at + 3] for at in right), "the masks do"
    story.close()


def check_the_shape_of_a_selection_and_of_a_mask_leave_traces(host: GimpHost) -> None:
    story = Story(host, "nested groups")
    image = story.host._image(story.document)

    def traces() -> object:
        host.editor._look_again_at = 0.0
        return host.editor.traces(story.document)

    (layer,) = image.get_selected_layers()
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 8, 8, 24, 24)
    square, bounds = traces(), list(Gimp.Selection.bounds(image))
    assert traces() == square
    image.select_ellipse(Gimp.ChannelOps.REPLACE, 8, 8, 24, 24)
    assert traces() != square and list(Gimp.Selection.bounds(image)) == bounds
    Gimp.Selection.none(image)
    layer.add_mask(layer.create_mask(Gimp.AddMaskType.WHITE))
    white = traces()
    layer.get_mask().invert(False)
    assert traces() != white
    story.close()


def check_a_change_of_a_filter_leaves_traces(host: GimpHost) -> None:
    story = Story(host, "nested groups")
    (layer,) = host._image(story.document).get_selected_layers()

    def traces() -> object:
        host.editor._look_again_at = 0.0
        return host.editor.traces(story.document)

    seen = [traces()]
    effect = Gimp.DrawableFilter.new(layer, "gegl:gaussian-blur", "soft")
    layer.append_filter(effect)

    def set_size() -> None:
        effect.get_config().set_property("std-dev-x", 7.5)
        effect.update()

    for change in (
        lambda: None,
        set_size,
        lambda: effect.set_visible(False),
        lambda: (effect.set_visible(True), effect.set_opacity(0.25), effect.update()),
        lambda: effect.delete(),
    ):
        change()
        seen.append(traces())
        assert traces() == seen[-1], "looking alone changes nothing"
        assert seen[-1] != seen[-2]
    story.close()


def _with_a_result(host: GimpHost) -> tuple[Story, str]:
    story = Story(host, "nested groups")
    story.stage.press("set_field", "variants", 2)
    assert story.stage.ask("text")
    story.stage.deliver(2)
    (key,) = story.ours()
    return story, key


def _told(story: Story, key: str) -> dict[str, Any]:
    """A layer's own entry in the fingerprint."""
    image = story.host._image(story.document)
    others = frozenset(each.key for each in story.host.editor.layers(story.document)) - {key}
    found = fingerprint(image, others)
    return next(value for name, value in found.items() if name.startswith("0 "))


CHECKS = {name: check for name, check in list(globals().items()) if name.startswith("check_")}


def run(ask: Callable[..., Any]) -> dict[str, str]:
    """All checks; the traceback of each that failed."""
    host = GimpHost(ask)
    outcome: dict[str, str] = {}
    for name, check in CHECKS.items():
        try:
            check(host)
            outcome[name] = ""
        except Exception:
            outcome[name] = traceback.format_exc()
    return outcome
