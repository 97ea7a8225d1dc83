"""Stacks as painters have them, made inside GIMP; each leaves something active or selected."""

# pyright: reportMissingImports=false
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
from gi.repository import Gegl, Gimp  # noqa: E402

from tests.editors.gimp.scripting import add_paper, add_picture, new_image  # noqa: E402

WIDTH, HEIGHT = 96, 64


def only_a_group(image: Gimp.Image) -> None:
    group = _group(image, "all of it")
    group.set_opacity(60)
    group.set_mode(Gimp.LayerMode.MULTIPLY)
    low = add_picture(image, "low", 0, 0, WIDTH, HEIGHT, group=group)
    high = add_picture(image, "high", 10, 5, 40, 30, group=group)
    for layer in (group, low, high):
        _mask(layer)
    image.set_selected_layers([group])


def a_layer_of_a_group_with_a_mask(image: Gimp.Image) -> None:
    only_a_group(image)
    image.set_selected_layers([image.get_layers()[0].get_children()[0]])


def a_single_layer_whose_mask_is_edited(image: Gimp.Image) -> None:
    layer = add_picture(image, "single", -8, -8, WIDTH, HEIGHT)
    _mask(layer)
    layer.set_edit_mask(True)


def nested_groups(image: Gimp.Image) -> None:
    add_paper(image)
    outer = _group(image, "outer")
    inner = _group(image, "inner", outer)
    outer.set_mode(Gimp.LayerMode.PASS_THROUGH)
    inner.set_visible(False)
    add_picture(image, "deep below", 0, 0, 50, 40, group=inner)
    add_picture(image, "deep", 20, 10, 50, 40, group=inner)
    _group(image, "empty", outer)
    image.set_selected_layers([inner.get_children()[0]])


def locked_hidden_and_clipped(image: Gimp.Image) -> None:
    paper = add_paper(image)
    paper.set_lock_position(True)
    paper.set_lock_visibility(True)
    hidden = add_picture(image, "hidden", 0, 0, 30, 30)
    hidden.set_visible(False)
    clipped = add_picture(image, "clipped", 5, 5, 60, 50)
    clipped.set_composite_mode(Gimp.LayerCompositeMode.CLIP_TO_BACKDROP)
    clipped.set_lock_alpha(True)
    locked = add_picture(image, "locked", 40, 20, 50, 40)
    locked.set_lock_content(True)
    locked.set_color_tag(Gimp.ColorTag.RED)
    image.set_selected_layers([clipped])


def a_text_with_filters(image: Gimp.Image) -> None:
    add_paper(image)
    text = Gimp.TextLayer.new(image, "hello", Gimp.context_get_font(), 20, Gimp.Unit.pixel())
    image.insert_layer(text, None, 0)
    for operation, name in (("gegl:gaussian-blur", "soft"), ("gegl:invert-gamma", "other")):
        effect = Gimp.DrawableFilter.new(text, operation, name)
        effect.set_opacity(0.5)
        text.append_filter(effect)
    text.set_opacity(40)
    image.set_selected_layers([text])


def a_shape_and_guides(image: Gimp.Image) -> None:
    """GIMP 3.2 alone has shapes; before it is a path and guides."""
    paper = add_paper(image)
    path = Gimp.Path.new(image, "line")
    image.insert_path(path, None, 0)
    path.stroke_new_from_points(
        Gimp.PathStrokeType.BEZIER, [5.0, 5.0] * 3 + [60.0, 40.0] * 3, False
    )
    image.add_hguide(20)
    image.add_vguide(30)
    if hasattr(Gimp, "VectorLayer"):
        shape = Gimp.VectorLayer.new(image, path)
        image.insert_layer(shape, None, 0)
        shape.refresh()
        image.set_selected_layers([shape])
    else:
        image.set_selected_layers([paper])


def several_layers_and_a_soft_selection(image: Gimp.Image) -> None:
    low, high = add_paper(image), add_picture(image, "high", 10, 5, 40, 30)
    image.insert_channel(Gimp.Channel.new(image, "kept", WIDTH, HEIGHT, 50, _black()), None, 0)
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 10, 10, 50, 40)
    Gimp.Selection.feather(image, 6)
    image.set_selected_layers([low, high])


def a_floating_selection(image: Gimp.Image) -> None:
    layer = add_picture(image, "torn", 0, 0, WIDTH, HEIGHT)
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 10, 10, 30, 20)
    Gimp.Selection.float(image, [layer], 5, 5)


def a_quick_mask(image: Gimp.Image) -> None:
    add_picture(image, "masked", 0, 0, WIDTH, HEIGHT)
    mask = Gimp.Channel.new(image, "Qmask", WIDTH, HEIGHT, 50, _black())
    image.insert_channel(mask, None, 0)
    image.set_selected_channels([mask])


ZOO: dict[str, Callable[[Gimp.Image], None]] = {
    each.__name__.replace("_", " "): each
    for each in (
        only_a_group,
        a_layer_of_a_group_with_a_mask,
        a_single_layer_whose_mask_is_edited,
        nested_groups,
        locked_hidden_and_clipped,
        a_text_with_filters,
        a_shape_and_guides,
        several_layers_and_a_soft_selection,
        a_floating_selection,
        a_quick_mask,
    )
}

MASK_EDITED = "a single layer whose mask is edited"


def build(name: str) -> Gimp.Image:
    """An image with one of these stacks."""
    image = new_image(WIDTH, HEIGHT)
    ZOO[name](image)
    chosen = image.get_selected_layers() or image.get_layers()
    chosen[0].set_name("active")
    image.attach_parasite(Gimp.Parasite.new("painters-own", 1, b"a word"))
    image.clean_all()
    return image


def dress(key: int) -> None:
    """What a painter may do to a layer: all at once."""
    layer = Gimp.Item.get_by_id(key)
    layer.set_name("mine now")
    _mask(layer)
    layer.set_opacity(40)
    layer.set_mode(Gimp.LayerMode.MULTIPLY)
    layer.set_composite_mode(Gimp.LayerCompositeMode.CLIP_TO_BACKDROP)
    layer.set_color_tag(Gimp.ColorTag.RED)
    effect = Gimp.DrawableFilter.new(layer, "gegl:gaussian-blur", "soft")
    effect.set_opacity(0.5)
    layer.append_filter(effect)
    layer.attach_parasite(Gimp.Parasite.new("painters-own", 0, b"a word"))
    _, x, y = layer.get_offsets()
    layer.set_offsets(x + 7, y - 5)
    stroke = Gegl.Rectangle.new(3, 3, 20, 10)
    layer.get_buffer().set(stroke, "R'G'B'A u8", bytes((9, 99, 199, 255)) * 200)
    layer.get_buffer().flush()
    layer.set_lock_alpha(True)
    layer.set_lock_position(True)
    layer.set_visible(False)


def _group(image: Gimp.Image, name: str, parent: Any = None) -> Gimp.GroupLayer:
    group = Gimp.GroupLayer.new(image, name)
    image.insert_layer(group, parent, 0)
    return group


def _mask(layer: Gimp.Layer) -> None:
    """A mask that lets the left half through."""
    mask = layer.create_mask(Gimp.AddMaskType.BLACK)
    width, height = layer.get_width(), layer.get_height()
    half = Gegl.Rectangle.new(0, 0, width // 2, height)
    mask.get_buffer().set(half, "Y u8", b"\xff" * (width // 2 * height))
    mask.get_buffer().flush()
    layer.add_mask(mask)
    layer.set_edit_mask(False)


def _black() -> Gegl.Color:
    return Gegl.Color.new("black")
